#include "cmd/list_result.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::Pid;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StatusIs;

nsdisc::Snapshot MakeSnapshot() {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        host { ticks_per_second: 100 }
        namespaces { type: user inode: 20 leaders: 1 ealdorman: 1 }
        namespaces { type: net inode: 30 owner: 20 leaders: 1 ealdorman: 1 }
        namespaces { type: net inode: 31 owner: 20 leaders: 2 ealdorman: 2 }
        processes {
          pid: 1
          namespaces { user: 20 net: 30 }
          cgroups: 0
        }
        processes {
          pid: 2
          namespaces { user: 20 net: 31 }
        }
        processes { pid: 3 namespaces_error: "EACCES" }
        cgroups { unified: "/init.scope" }
        gaps { subject: "pid:3" }
      )pb",
      &snapshot));
  return snapshot;
}

std::vector<uint32_t> Inodes(const NamespaceList& list) {
  std::vector<uint32_t> inodes;
  for (const NamespaceRow& row : list.rows()) inodes.push_back(row.namespace_().inode());
  return inodes;
}

TEST(BuildNamespaceList, ListsAllByDefault) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceList list, BuildNamespaceList(MakeSnapshot(), {}));

  EXPECT_THAT(Inodes(list), ElementsAre(20, 30, 31));
  EXPECT_EQ(list.rows(0).owned_count(), 2u);
  EXPECT_EQ(list.rows(1).representative().pid(), 1);
  EXPECT_FALSE(list.rows(1).representative().has_cgroups());
  EXPECT_EQ(list.rows(1).cgroup(), "/init.scope");
  EXPECT_EQ(list.rows(2).cgroup(), "");
  EXPECT_EQ(list.host().ticks_per_second(), 100u);
  EXPECT_EQ(list.gaps_size(), 1);
}

TEST(BuildNamespaceList, FiltersByTypeAndProcess) {
  const nsdisc::Snapshot snapshot = MakeSnapshot();
  const auto inodes = [&](const ListFilter& filter) {
    return Inodes(BuildNamespaceList(snapshot, filter).value());
  };

  EXPECT_THAT(inodes({.types = {NamespaceType::kNet}, .pids = {}}), ElementsAre(30, 31));
  EXPECT_THAT(inodes({.types = {}, .pids = {{Pid{2}}}}), ElementsAre(20, 31));
  EXPECT_THAT(inodes({.types = {NamespaceType::kNet}, .pids = {{Pid{2}}}}), ElementsAre(31));
  EXPECT_THAT(inodes({.types = {}, .pids = {{Pid{1}}, {Pid{2}}}}), ElementsAre(20, 30, 31));
  EXPECT_THAT(inodes({.types = {}, .pids = {{Pid{3}}}}), IsEmpty());
}

TEST(BuildNamespaceList, CountsWhatIsOwnedThoughItIsNotListed) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const NamespaceList list,
      BuildNamespaceList(MakeSnapshot(), {.types = {NamespaceType::kUser}, .pids = {}}));

  EXPECT_EQ(list.rows(0).owned_count(), 2u);
}

TEST(BuildNamespaceList, KnowsNoProcessOfThatNumber) {
  EXPECT_THAT(BuildNamespaceList(MakeSnapshot(), {.types = {}, .pids = {{Pid{1}}, {Pid{99}}}}),
              StatusIs(absl::StatusCode::kNotFound, "no process 99"));
}

// One namespace in each state, held by one thing each.
nsdisc::Snapshot HeldNamespaces() {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        namespaces { type: uts inode: 5 owner: 20 process_count: 3 }
        namespaces { type: user inode: 20 children: 21 process_count: 1 }
        namespaces { type: user inode: 21 parent: 20 }
        namespaces { type: pid inode: 30 owner: 20 for_children_of: 7 }
        namespaces {
          type: net
          inode: 40
          owner: 21
          fds { kind: namespace_file pid: 7 fd: 3 }
          fd_count: 1
          bind_mounts { path: "/run/netns/a" }
          bind_mount_count: 1
        }
        namespaces { type: net inode: 41 owner: 20 dark: true }
        processes {
          pid: 7
          namespaces { uts: 5 }
          threads {
            tid: 8
            namespaces { uts: 5 net: 40 }
          }
          cgroups: 0
        }
        cgroups {
          unified: "/a.slice/b"
          v1 { controllers: "cpu" path: "/c" }
        }
      )pb",
      &snapshot));
  return snapshot;
}

std::vector<uint32_t> Filtered(const ListFilter& filter) {
  const absl::StatusOr<NamespaceList> list = BuildNamespaceList(HeldNamespaces(), filter);
  EXPECT_THAT(list, testing::IsOk());
  return list.ok() ? Inodes(*list) : std::vector<uint32_t>();
}

TEST(BuildNamespaceList, TellsStateAndHolders) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceList list, BuildNamespaceList(HeldNamespaces(), {}));

  std::vector<std::string> shown;
  for (const NamespaceRow& row : list.rows()) {
    std::string text = NamespaceRow::State_Name(row.state());
    for (const HeldBy& held_by : row.held_by()) {
      absl::StrAppend(&text, ", ", held_by.kind(), " ", held_by.count());
    }
    shown.push_back(text);
  }
  EXPECT_THAT(shown, ElementsAre("active, process 3", "active, process 1, child 1, owned 3",
                                 "persistent, owned 1", "pending, for-children 1",
                                 "persistent, fd 1, bind-mount 1", "dark"));
}

TEST(BuildNamespaceList, SelectsByState) {
  EXPECT_THAT(Filtered({.states = {NamespaceRow::dark, NamespaceRow::pending}}),
              ElementsAre(30, 41));
  EXPECT_THAT(Filtered({.states = {NamespaceRow::persistent}}), ElementsAre(21, 40));
}

TEST(BuildNamespaceList, SelectsByHolder) {
  using nsdisc::HolderKind;

  EXPECT_THAT(Filtered({.held_by = {HolderKind::kFd}}), ElementsAre(40));
  EXPECT_THAT(Filtered({.held_by = {HolderKind::kForChildren, HolderKind::kProcess}}),
              ElementsAre(5, 20, 30));
  EXPECT_THAT(Filtered({.held_by = {HolderKind::kSocket}}), IsEmpty());
}

TEST(BuildNamespaceList, SelectsByOwner) {
  EXPECT_THAT(Filtered({.owner = 20}), ElementsAre(5, 21, 30, 41));
  EXPECT_THAT(BuildNamespaceList(HeldNamespaces(), {.owner = 99}),
              StatusIs(absl::StatusCode::kNotFound, "no namespace user:[99]"));
}

TEST(BuildNamespaceList, SelectsByControlGroup) {
  for (const char* cgroup : {"/", "/a.slice", "/a.slice/", "/a.slice/b", "/c"}) {
    EXPECT_THAT(Filtered({.cgroup = cgroup}), ElementsAre(5)) << cgroup;
  }
  EXPECT_THAT(BuildNamespaceList(HeldNamespaces(), {.cgroup = "/a"}),
              StatusIs(absl::StatusCode::kNotFound, "no process is in the control group \"/a\""));
}

// systemd escapes bytes of names itself, and a name may have bytes that results escape.
TEST(BuildNamespaceList, SelectsByControlGroupHoweverItIsSpelled) {
  nsdisc::Snapshot snapshot = HeldNamespaces();
  snapshot.mutable_cgroups(0)->set_unified(base::EncodeText("/system-a\\x2db.slice"));
  const auto finds = [&snapshot](const std::string& cgroup) {
    return BuildNamespaceList(snapshot, {.cgroup = cgroup}).ok();
  };
  EXPECT_TRUE(finds("/system-a\\x2db.slice"));
  EXPECT_TRUE(finds("/system-a\\\\x2db.slice"));
  EXPECT_FALSE(finds("/system-a-b.slice"));

  const std::string bytes = "/\x1b[1m\xff";
  snapshot.mutable_cgroups(0)->set_unified(base::EncodeText(bytes));
  EXPECT_TRUE(finds(bytes));
  EXPECT_TRUE(finds(base::EncodeText(bytes)));
  EXPECT_TRUE(finds(base::TerminalText(base::EncodeText(bytes))));
}

TEST(BuildNamespaceList, SelectsByNamespace) {
  EXPECT_THAT(Filtered({.namespaces = {{NamespaceType::kNet, 40}, {std::nullopt, 21}}}),
              ElementsAre(21, 40));
  EXPECT_THAT(BuildNamespaceList(HeldNamespaces(), {.namespaces = {{NamespaceType::kNet, 21}}}),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(BuildNamespaceList, TakesThreadsForProcesses) {
  EXPECT_THAT(Filtered({.pids = {{Pid{8}}}}), ElementsAre(5, 40));
}

}  // namespace
}  // namespace nsctl::cmd
