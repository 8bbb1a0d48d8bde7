#include "cmd/tree_result.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using ::testing::HasSubstr;
using testing::StatusIs;

nsdisc::Snapshot MakeSnapshot() {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        namespaces { type: uts inode: 12 owner: 20 }
        namespaces {
          type: user
          inode: 20
          children: 21
          leaders: [ 1, 2 ]
          ealdorman: 1
          owner_uid: 0
        }
        namespaces { type: user inode: 21 parent: 20 }
        namespaces { type: user inode: 22 parent: 99 }
        namespaces { type: pid inode: 25 owner: 20 children: 26 }
        namespaces { type: pid inode: 26 owner: 21 parent: 25 }
        namespaces { type: net inode: 31 owner: 20 }
        namespaces { type: net inode: 32 }
        processes { pid: 1 cgroups: 0 }
        processes {
          pid: 2
          namespaces { user: 21 pid: 26 net: 31 }
        }
        cgroups { unified: "/a" }
      )pb",
      &snapshot));
  return snapshot;
}

// "20(net31 uts12)[21]": inode, what is owned, children.
std::string Sketch(const NamespaceTree::Node& node) {
  std::string text = node.has_namespace_() ? absl::StrCat(node.namespace_().inode()) : "?";
  const auto append = [&](const auto& nodes, const char* open, const char* close) {
    if (nodes.empty()) return;
    text += open;
    for (int i = 0; i < nodes.size(); ++i)
      absl::StrAppend(&text, i > 0 ? " " : "", Sketch(nodes[i]));
    text += close;
  };
  append(node.owned(), "(", ")");
  append(node.children(), "[", "]");
  return text;
}

std::string Sketch(const TreeRequest& request) {
  const auto tree = BuildNamespaceTree(MakeSnapshot(), request);
  EXPECT_TRUE(tree.ok()) << tree.status();
  std::string text;
  for (const NamespaceTree::Node& root : tree->roots()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", Sketch(root));
  }
  return text;
}

TreeRequest Request(NamespaceTree::View view) {
  TreeRequest request;
  request.view = view;
  return request;
}

TEST(BuildNamespaceTree, PutsOwnedNamespacesBelowTheirUserNamespace) {
  EXPECT_EQ(Sketch(Request(NamespaceTree::user)), "20(31 25 12)[21(26)] 22 ?(32)");
}

TEST(BuildNamespaceTree, PutsEveryNamespaceBelowItsOwner) {
  EXPECT_EQ(Sketch(Request(NamespaceTree::owner)), "20[31 25 12 21[26]] 22 ?[32]");
}

TEST(BuildNamespaceTree, NestsPidNamespaces) {
  EXPECT_EQ(Sketch(Request(NamespaceTree::pid)), "25[26]");
}

TEST(BuildNamespaceTree, DrawsWhatAProcessIsInAndWhatIsAbove) {
  TreeRequest request = Request(NamespaceTree::user);
  request.pids = {{.pid = {2}}};
  EXPECT_EQ(Sketch(request), "20(31)[21(26)]");
  request.view = NamespaceTree::pid;
  EXPECT_EQ(Sketch(request), "25[26]");
  request.pids = {{.pid = {1}}};
  EXPECT_EQ(Sketch(request), "");
  request.pids = {{.pid = {3}}};
  EXPECT_THAT(BuildNamespaceTree(MakeSnapshot(), request),
              StatusIs(absl::StatusCode::kNotFound, "no process 3"));
}

// User namespaces without mount namespaces are left out, but for those on the way to one.
TEST(BuildNamespaceTree, PutsMountNamespacesBelowTheirOwners) {
  nsdisc::Snapshot snapshot;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        namespaces { type: mnt inode: 5 owner: 21 }
        namespaces { type: mnt inode: 6 }
        namespaces { type: user inode: 20 children: 21 children: 22 }
        namespaces { type: user inode: 21 parent: 20 }
        namespaces { type: user inode: 22 parent: 20 }
        namespaces { type: net inode: 31 owner: 20 }
      )pb",
      &snapshot));

  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree tree,
                             BuildNamespaceTree(snapshot, Request(NamespaceTree::mnt)));

  ASSERT_EQ(tree.roots_size(), 2);
  EXPECT_EQ(Sketch(tree.roots(0)), "20[21[5]]");
  EXPECT_EQ(Sketch(tree.roots(1)), "?[6]");
}

TEST(BuildNamespaceTree, CountsHoldersOnDemand) {
  TreeRequest request = Request(NamespaceTree::pid);
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree plain,
                             BuildNamespaceTree(MakeSnapshot(), request));
  request.details = true;
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree detailed,
                             BuildNamespaceTree(MakeSnapshot(), request));

  EXPECT_EQ(plain.roots(0).held_by_size(), 0);
  ASSERT_EQ(detailed.roots(0).held_by_size(), 1);
  EXPECT_EQ(detailed.roots(0).held_by(0).kind(), "child");
  EXPECT_EQ(detailed.roots(0).held_by(0).count(), 1u);
}

TEST(BuildNamespaceTree, FiltersWhatIsOwned) {
  TreeRequest request = Request(NamespaceTree::user);
  request.owned_types = {NamespaceType::kPid};
  EXPECT_EQ(Sketch(request), "20(25)[21(26)] 22");

  request.without_owned = true;
  EXPECT_EQ(Sketch(request), "20[21] 22");
}

TEST(BuildNamespaceTree, NamesOwnersOfPidNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree tree,
                             BuildNamespaceTree(MakeSnapshot(), Request(NamespaceTree::pid)));

  const nsdisc::Namespace& owner = tree.roots(0).owner();
  EXPECT_EQ(owner.type(), nsdisc::Namespace::user);
  EXPECT_EQ(owner.inode(), 20u);
  EXPECT_TRUE(owner.has_owner_uid());
}

TEST(BuildNamespaceTree, NamesOneLeaderOrAll) {
  TreeRequest request = Request(NamespaceTree::user);
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree one, BuildNamespaceTree(MakeSnapshot(), request));
  request.all_leaders = true;
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceTree all, BuildNamespaceTree(MakeSnapshot(), request));

  ASSERT_EQ(one.roots(0).leaders_size(), 1);
  EXPECT_EQ(one.roots(0).leaders(0).process().pid(), 1);
  EXPECT_EQ(one.roots(0).leaders(0).cgroup(), "/a");
  ASSERT_EQ(all.roots(0).leaders_size(), 2);
  EXPECT_EQ(all.roots(0).leaders(1).process().pid(), 2);
}

TEST(BuildNamespaceTree, RefusesToGoDeeperThanKernelsDo) {
  nsdisc::Snapshot snapshot;
  for (uint32_t i = 1; i <= 1000; ++i) {
    nsdisc::Namespace* ns = snapshot.add_namespaces();
    ns->set_type(nsdisc::Namespace::pid);
    ns->set_inode(i);
    if (i > 1) ns->set_parent(i - 1);
  }

  EXPECT_THAT(BuildNamespaceTree(snapshot, Request(NamespaceTree::pid)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pid:[49] is nested deeper")));
}

}  // namespace
}  // namespace nsctl::cmd
