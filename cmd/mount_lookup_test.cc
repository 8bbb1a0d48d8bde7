#include "cmd/mount_lookup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using procfsroot::Root;

TEST(LexicalPath, IsClean) {
  struct Case {
    const char* path;
    const char* clean;
  };
  const Case cases[] = {
      {"/", "/"},      {"//a//b/", "/a/b"},  {"/a/./b/..", "/a"},
      {"/../..", "/"}, {"/a\\b", "/a\\\\b"}, {"/\xff", "/\\xff"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(LexicalPath(c.path), (LookedUpPath{c.clean})) << c.path;
  }
}

// As a process has it that was given another root.
TEST(LookUpPath, FollowsLinksBelowTheRootAndNamesThemFromTheNamespaces) {
  const testing::TestDirectory directory;
  ASSERT_EQ(mkdir(absl::StrCat(directory.path(), "/real").c_str(), 0700), 0);
  ASSERT_EQ(symlink("/real", absl::StrCat(directory.path(), "/link").c_str()), 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfPath(directory.path()));

  const LookedUpPath real = LookUpPath(root, "/link");
  EXPECT_EQ(real.path, absl::StrCat(directory.path(), "/real"));
  struct statx status = {};
  ASSERT_EQ(statx(AT_FDCWD, real.path.c_str(), 0, STATX_MNT_ID, &status), 0);
  EXPECT_EQ(real.mount_id, status.stx_mnt_id);
  EXPECT_EQ(LookUpPath(root, "/").path, directory.path());
  const LookedUpPath missing = LookUpPath(root, "/link/missing");
  EXPECT_EQ(missing.path, absl::StrCat(directory.path(), "/link/missing"));
  EXPECT_TRUE(missing.is_missing());
  EXPECT_EQ(missing.mount_id, std::nullopt);
}

}  // namespace
}  // namespace nsctl::cmd
