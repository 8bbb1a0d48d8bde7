#include "cmd/fs_display.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using procfsroot::Root;
using testing::HasErrno;
using testing::IsOkAndHolds;

class FsDisplayTest : public ::testing::Test {
 protected:
  FsDisplayTest() {
    std::filesystem::create_directories(PathOf("root/mv/a/b/c"));
    std::filesystem::create_directories(PathOf("moved"));
  }
  std::string PathOf(const std::string& name) const {
    return absl::StrCat(directory_.path(), "/", name);
  }
  Root OpenRoot() const {
    absl::StatusOr<Root> root = Root::OfPath(PathOf("root"));
    EXPECT_TRUE(root.ok()) << root.status();
    return *std::move(root);
  }

  const testing::TestDirectory directory_;
};

TEST_F(FsDisplayTest, SaysWhereAPathLeads) {
  ASSERT_EQ(symlink("/mv/a/..", PathOf("root/link").c_str()), 0);
  const Root root = OpenRoot();

  NSCTL_ASSERT_OK_AND_ASSIGN(const FsPlace place, FindFsPlace(root, "link/a/b/../b"));
  EXPECT_EQ(place.path, "/mv/a/b");
  NSCTL_ASSERT_OK_AND_ASSIGN(const FsPlace link, FindFsPlace(root, "link", {.follow_last = false}));
  EXPECT_EQ(link.path, "/link");
  EXPECT_THAT(FindFsPlace(root, "mv/none"), HasErrno(ENOENT));
}

TEST_F(FsDisplayTest, HasNoPathForWhatWasRemovedOrReplaced) {
  const Root root = OpenRoot();
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd handle, root.Resolve("mv/a/b/c"));
  EXPECT_THAT(CheckedFsPath(root, handle), IsOkAndHolds("/mv/a/b/c"));

  ASSERT_EQ(rmdir(PathOf("root/mv/a/b/c").c_str()), 0);

  EXPECT_THAT(CheckedFsPath(root, handle), HasErrno(ESTALE));
  ASSERT_EQ(mkdir(PathOf("root/mv/a/b/c").c_str(), 0755), 0);
  EXPECT_THAT(CheckedFsPath(root, handle), HasErrno(ESTALE));
}

// Whoever moves the directory out of the root and back gets no path outside of it printed.
TEST_F(FsDisplayTest, SaysNoPathOutsideWhateverIsMoved) {
  const Root root = OpenRoot();
  const std::string inside = PathOf("root/mv/a"), outside = PathOf("moved/a");
  std::atomic<bool> is_done = false;
  std::thread mover([&] {
    while (!is_done) {
      rename(inside.c_str(), outside.c_str());
      rename(outside.c_str(), inside.c_str());
    }
  });

  int found = 0, stale = 0;
  for (int i = 0; i < 20000; ++i) {
    const absl::StatusOr<FsPlace> place = FindFsPlace(root, "mv/a/b/c/../..");
    if (place.ok()) {
      ++found;
      EXPECT_EQ(place->path, "/mv/a");
    } else {
      const int error = base::ErrnoOf(place.status());
      EXPECT_TRUE(error == ENOENT || error == EAGAIN || error == ESTALE) << place.status();
      stale += error == ESTALE;
    }
  }
  is_done = true;
  mover.join();

  EXPECT_GT(found, 0);
  RecordProperty("stale", stale);
}

}  // namespace
}  // namespace nsctl::cmd
