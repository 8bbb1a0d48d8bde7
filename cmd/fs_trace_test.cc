#include "cmd/fs_trace.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

// "LINK -> TEXT" for links, "mount PATH" for mounts.
std::vector<std::string> Trace(const std::string& root_path, const std::string& path) {
  const absl::StatusOr<procfsroot::Root> root = procfsroot::Root::OfPath(root_path);
  EXPECT_TRUE(root.ok()) << root.status();
  std::vector<std::string> steps;
  if (!root.ok()) return steps;
  for (const FsResolved::Step& step : TracePath(*root, path)) {
    steps.push_back(step.has_mount_id() ? absl::StrCat("mount ", step.path())
                                        : absl::StrCat(step.path(), " -> ", step.link_target()));
  }
  return steps;
}

TEST(TracePath, NamesTheLinksOnTheWay) {
  const testing::TestDirectory tree;
  fs::create_directories(tree.path() + "/a/b");
  fs::create_symlink("../..//a", tree.path() + "/a/up");
  fs::create_symlink("/a/up/./b", tree.path() + "/abs");
  fs::create_symlink("loop", tree.path() + "/loop");

  EXPECT_THAT(Trace(tree.path(), "/a/b"), IsEmpty());
  EXPECT_THAT(Trace(tree.path(), "abs/../b"),
              ElementsAre("/abs -> /a/up/./b", "/a/up -> ../..//a"));
  EXPECT_THAT(Trace(tree.path(), "/a/none/up"), IsEmpty());
  EXPECT_THAT(Trace(tree.path(), "loop"), SizeIs(40));
}

TEST(TracePath, NamesTheMountsOnTheWay) {
  EXPECT_THAT(Trace("/", "/../proc/./sys/../version"), ElementsAre("mount /proc"));
}

}  // namespace
}  // namespace nsctl::cmd
