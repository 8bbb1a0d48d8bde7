#include "mounttree/mount_tree.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"

namespace nsctl::mounttree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct RowSpec {
  uint32_t id;
  uint32_t parent;
  // nullptr: no path leads to it.
  const char* path;
};

MountNamespace Make(const std::vector<RowSpec>& rows) {
  MountNamespace mounts;
  for (const RowSpec& row : rows) {
    Mount* const mount = mounts.add_mounts();
    mount->set_mount_id(row.id);
    mount->set_parent_id(row.parent);
    if (row.path != nullptr) mount->set_mount_point(row.path);
  }
  return mounts;
}

// "ID verdict by HIDER" for each row.
std::string Verdicts(const MountNamespace& mounts) {
  return absl::StrJoin(mounts.mounts(), ", ", [](std::string* out, const Mount& mount) {
    absl::StrAppend(out, mount.mount_id(), " ", Mount::Visibility_Name(mount.visibility()));
    if (mount.has_hidden_by()) absl::StrAppend(out, " by ", mount.hidden_by());
  });
}

struct TreeCase {
  const char* name;
  std::vector<RowSpec> rows;
  const char* verdicts;
  std::vector<std::string> notes = {};
};

class MountTreeVisibility : public ::testing::TestWithParam<TreeCase> {};

TEST_P(MountTreeVisibility, IsThatOfAWalk) {
  MountNamespace mounts = Make(GetParam().rows);

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_EQ(Verdicts(mounts), GetParam().verdicts);
  EXPECT_THAT(mounts.notes(), ::testing::ElementsAreArray(GetParam().notes));
  std::vector<bool> seen(GetParam().rows.size(), false);
  tree.Visit([&](uint32_t row, size_t) {
    EXPECT_FALSE(seen[row]);
    seen[row] = true;
  });
  EXPECT_THAT(seen, ::testing::Each(true));
}

INSTANTIATE_TEST_SUITE_P(
    Whole, MountTreeVisibility,
    ::testing::Values(
        TreeCase{"Nothing", {}, ""}, TreeCase{"RootAlone", {{1, 0, "/"}}, "1 visible"},
        TreeCase{"RootIsItsOwnParent", {{1, 1, "/"}}, "1 visible"},
        // Linux 7.0 lists rootfs as well.
        TreeCase{"Rootfs",
                 {{1, 1, "/"}, {2, 1, "/"}, {3, 2, "/a"}},
                 "1 overmounted by 2, 2 visible, 3 visible"},
        TreeCase{"InPlace",
                 {{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/a"}, {4, 3, "/a"}},
                 "1 visible, 2 overmounted by 3, 3 overmounted by 4, 4 visible"},
        TreeCase{"Above",
                 {{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/a/b"}, {4, 3, "/a/b/c"}, {5, 2, "/a"}},
                 "1 visible, 2 overmounted by 5, 3 overmounted_above by 5, "
                 "4 overmounted_above by 5, 5 visible"},
        TreeCase{"SamePathThroughTheUpperMount",
                 {{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/a/b"}, {4, 2, "/a"}, {5, 4, "/a/b"}},
                 "1 visible, 2 overmounted by 4, 3 overmounted_above by 4, 4 visible, 5 visible"},
        TreeCase{"Covered",
                 {{1, 0, "/"}, {2, 1, "/a/b"}, {3, 2, "/a/b/c"}, {4, 1, "/a"}},
                 "1 visible, 2 covered by 4, 3 covered by 4, 4 visible"},
        TreeCase{"CoveredInTurn",
                 {{1, 0, "/"}, {2, 1, "/a/b/c"}, {3, 1, "/a/b"}, {4, 1, "/a"}},
                 "1 visible, 2 covered by 4, 3 covered by 4, 4 visible"},
        TreeCase{"CoveredStack",
                 {{1, 0, "/"}, {2, 1, "/a/b"}, {3, 2, "/a/b"}, {4, 1, "/a"}},
                 "1 visible, 2 covered by 4, 3 covered by 4, 4 visible"},
        TreeCase{"ShownAgainInTheCover",
                 {{1, 0, "/"}, {2, 1, "/a/b"}, {3, 1, "/a"}, {4, 3, "/a/b"}},
                 "1 visible, 2 covered by 3, 3 visible, 4 visible"},
        TreeCase{"NamesThatBeginAlike",
                 {{1, 0, "/"}, {2, 1, "/a-b"}, {3, 1, "/a"}, {4, 3, "/a/b"}, {5, 1, "/a b/c"}},
                 "1 visible, 2 visible, 3 visible, 4 visible, 5 visible"},
        TreeCase{"LaterIdsFirst",
                 {{9, 0, "/"}, {8, 9, "/a"}, {2, 8, "/a/b"}, {1, 8, "/a"}},
                 "9 visible, 8 overmounted by 1, 2 overmounted_above by 1, 1 visible"},
        TreeCase{"RootOvermounted",
                 {{1, 0, "/"}, {2, 1, "/proc"}, {3, 1, "/"}, {4, 3, "/proc"}},
                 "1 overmounted by 3, 2 overmounted_above by 3, 3 visible, 4 visible"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Partial, MountTreeVisibility,
                         ::testing::Values(TreeCase{"ReaderInAPlainDirectory",
                                                    {{5, 4, "/a"}, {6, 5, "/a/b"}, {7, 4, "/c"}},
                                                    "5 visible, 6 visible, 7 visible"},
                                           TreeCase{"ReaderInAPlainDirectoryCovered",
                                                    {{5, 4, "/a/b"}, {6, 4, "/a"}},
                                                    "5 unreachable, 6 visible"},
                                           TreeCase{"NoPath",
                                                    {{1, 0, "/"}, {2, 1, nullptr}, {3, 2, nullptr}},
                                                    "1 visible, 2 unreachable, 3 unreachable"}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Broken, MountTreeVisibility,
    ::testing::Values(
        TreeCase{"TwoRoots",
                 {{1, 0, "/"}, {2, 9, "/a"}},
                 "1 visible, 2 unreachable",
                 {"2 mounts without a parent among the others"}},
        TreeCase{"TwoRootsAtOnePath",
                 {{1, 0, "/"}, {2, 9, "/"}},
                 "1 unreachable, 2 visible",
                 {"2 mounts without a parent among the others"}},
        TreeCase{
            "Circle",
            {{1, 0, "/"}, {2, 4, "/a"}, {3, 2, "/a/b"}, {4, 3, "/a/b/c"}, {5, 4, "/x"}},
            "1 visible, 2 unreachable, 3 unreachable, 4 unreachable, 5 unreachable",
            {"mount 2: its parents form a circle", "2 mounts without a parent among the others"}},
        TreeCase{"CircleOfTwoAlone",
                 {{1, 2, "/"}, {2, 1, "/"}},
                 "1 overmounted by 2, 2 visible",
                 {"mount 1: its parents form a circle"}},
        TreeCase{"IdTwice",
                 {{1, 0, "/"}, {2, 1, "/a"}, {2, 1, "/b"}, {3, 2, "/a/c"}},
                 "1 visible, 2 visible, 2 visible, 3 visible",
                 {"mount 2: its id is listed more than once"}},
        TreeCase{"PathOutsideOfItsParent",
                 {{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/b"}, {4, 3, "/b/c"}},
                 "1 visible, 2 visible, 3 unreachable, 4 unreachable"},
        TreeCase{"PathAboveItsParent",
                 {{1, 0, "/a/b"}, {2, 1, "/"}, {3, 2, "/c"}},
                 "1 visible, 2 unreachable, 3 unreachable"},
        TreeCase{"TwoAtOnePlace",
                 {{1, 0, "/"}, {2, 1, "/a"}, {3, 1, "/a"}},
                 "1 visible, 2 covered by 3, 3 visible"}),
    [](const auto& info) { return info.param.name; });

TEST(MountTree, SaysParentsAndChildren) {
  MountNamespace mounts = Make({{7, 1, "/"}, {9, 7, "/a"}, {3, 7, "/b"}, {4, 9, "/a/c"}});

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_THAT(tree.roots(), ElementsAre(0));
  EXPECT_EQ(tree.ParentOf(0), std::nullopt);
  EXPECT_EQ(tree.ParentOf(3), 1);
  EXPECT_THAT(tree.ChildrenOf(0), ElementsAre(1, 2));
  EXPECT_THAT(tree.ChildrenOf(1), ElementsAre(3));
  EXPECT_THAT(tree.ChildrenOf(3), IsEmpty());
  std::vector<std::string> visited;
  tree.Visit([&](uint32_t row, size_t depth) { visited.push_back(absl::StrCat(row, "@", depth)); });
  EXPECT_THAT(visited, ElementsAre("0@0", "1@1", "3@2", "2@1"));
}

TEST(MountTree, NumbersPaths) {
  MountNamespace mounts =
      Make({{1, 0, "/"}, {2, 1, "/a-b"}, {3, 1, "/a"}, {4, 3, "/a/b/c"}, {5, 3, "/a"}});

  const MountTree tree = PlaceMounts(&mounts);

  std::vector<std::string> paths;
  for (const MountTree::Path& path : tree.paths()) {
    paths.push_back(absl::StrCat(std::string(path.path), " in ", path.parent_id, ": ",
                                 absl::StrJoin(tree.MountsAt(path), ","), " seen ",
                                 path.seen.value_or(99)));
  }
  EXPECT_THAT(paths, ElementsAre("/ in 0: 0 seen 0", "/a in 1: 2,4 seen 4", "/a/b/c in 2: 3 seen 4",
                                 "/a-b in 1: 1 seen 1"));
  EXPECT_EQ(mounts.mounts(3).path_id(), 3u);
  EXPECT_EQ(mounts.mounts(3).parent_path_id(), 2u);
  EXPECT_EQ(mounts.mounts(1).path_id(), 4u);
}

TEST(MountTree, FindsTheHolderOfAPath) {
  MountNamespace mounts = Make({{1, 0, "/"}, {2, 1, "/a/b"}, {3, 1, "/a"}, {4, 3, "/a/c"}});

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_EQ(tree.FindHolder("/"), 0);
  EXPECT_EQ(tree.FindHolder("/etc/passwd"), 0);
  EXPECT_EQ(tree.FindHolder("/ab"), 0);
  EXPECT_EQ(tree.FindHolder("/a/b/file"), 2) << "/a/b is covered";
  EXPECT_EQ(tree.FindHolder("/a/c"), 3);
  EXPECT_EQ(tree.FindHolder("/a/cc"), 2);
}

TEST(MountTree, HasNoHolderOutsideOfAllPaths) {
  MountNamespace mounts = Make({{5, 4, "/a"}});

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_EQ(tree.FindHolder("/b"), std::nullopt);
  EXPECT_EQ(tree.FindHolder("/a/x"), 0);
}

TEST(MountTree, PrefersUniqueIds) {
  // The number 2 was dealt again while the mounts were read.
  MountNamespace mounts = Make({{1, 1, "/"}, {2, 1, "/gone"}, {2, 1, "/a"}, {3, 2, "/a/b"}});
  for (int i = 0; i < 4; ++i) {
    mounts.mutable_mounts(i)->set_unique_id(100 + i);
    mounts.mutable_mounts(i)->set_unique_parent_id(i == 3 ? 102 : 100);
  }

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_EQ(tree.ParentOf(3), 2);
  EXPECT_THAT(mounts.notes(), IsEmpty());
}

TEST(MountTree, ReplacesWhatItWroteBefore) {
  MountNamespace mounts = Make({{1, 0, "/"}, {2, 9, "/"}, {3, 3, nullptr}});
  PlaceMounts(&mounts);
  const std::string before = mounts.SerializeAsString();

  PlaceMounts(&mounts);

  EXPECT_EQ(mounts.SerializeAsString(), before);
}

TEST(MountTree, TakesDeepStacksAndDeepPaths) {
  MountNamespace mounts;
  std::string path = "/";
  for (uint32_t i = 1; i <= 20000; ++i) {
    Mount* const mount = mounts.add_mounts();
    mount->set_mount_id(i);
    mount->set_parent_id(i - 1);
    if (i <= 1000) path += "d/";
    mount->set_mount_point(path.substr(0, path.size() - 1));
  }

  const MountTree tree = PlaceMounts(&mounts);

  EXPECT_EQ(tree.paths().size(), 1000u);
  EXPECT_EQ(mounts.mounts(998).visibility(), Mount::visible);
  EXPECT_EQ(mounts.mounts(999).visibility(), Mount::overmounted);
  EXPECT_EQ(mounts.mounts(19999).visibility(), Mount::visible);
}

TEST(MountTree, LimitsItsNotes) {
  MountNamespace mounts;
  for (int i = 0; i < 1000; ++i) mounts.add_mounts()->set_mount_id(1);

  PlaceMounts(&mounts);

  EXPECT_EQ(mounts.notes_size(), 101);
  EXPECT_EQ(mounts.notes(100), "899 more mounts that are odd");
}

}  // namespace
}  // namespace nsctl::mounttree
