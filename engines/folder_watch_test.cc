#include "engines/folder_watch.h"

#include <poll.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

class FolderWatchTest : public ::testing::Test {
 protected:
  static bool IsReadable(const FolderWatch& watch) {
    struct pollfd fd = {.fd = watch.fd().get(), .events = POLLIN, .revents = 0};
    return poll(&fd, 1, 0) > 0;
  }

  const testing::TestDirectory test_directory_;
  const std::string directory_ = test_directory_.path();
};

TEST_F(FolderWatchTest, HearsOfFiles) {
  std::filesystem::create_directory(directory_ + "/machines");
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root, procfsroot::Root::OfPath(directory_));
  NSCTL_ASSERT_OK_AND_ASSIGN(FolderWatch watch, FolderWatch::Make(root, "/machines"));

  EXPECT_TRUE(watch.Begin());
  EXPECT_FALSE(IsReadable(watch));
  std::ofstream(directory_ + "/machines/web") << "NAME=web\n";
  EXPECT_TRUE(IsReadable(watch));

  watch.Drain();
  EXPECT_FALSE(IsReadable(watch));
  std::filesystem::remove(directory_ + "/machines/web");
  EXPECT_TRUE(IsReadable(watch));
}

TEST_F(FolderWatchTest, BeginsWhenTheFolderIsMadeAndMadeAnew) {
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root, procfsroot::Root::OfPath(directory_));
  NSCTL_ASSERT_OK_AND_ASSIGN(FolderWatch watch, FolderWatch::Make(root, "/machines"));

  EXPECT_FALSE(watch.Begin());
  std::filesystem::create_directory(directory_ + "/machines");
  EXPECT_TRUE(watch.Begin());
  // It does already.
  EXPECT_FALSE(watch.Begin());

  std::filesystem::remove(directory_ + "/machines");
  std::filesystem::create_directory(directory_ + "/machines");
  watch.Drain();
  EXPECT_TRUE(watch.Begin());
}

TEST_F(FolderWatchTest, FollowsNoLinkOutOfTheRoot) {
  std::filesystem::create_directory(directory_ + "/outside");
  std::filesystem::create_directory(directory_ + "/inside");
  std::filesystem::create_symlink("../outside", directory_ + "/inside/machines");
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root,
                             procfsroot::Root::OfPath(directory_ + "/inside"));
  NSCTL_ASSERT_OK_AND_ASSIGN(FolderWatch watch, FolderWatch::Make(root, "/machines"));

  EXPECT_FALSE(watch.Begin());
}

}  // namespace
}  // namespace nsctl::engines
