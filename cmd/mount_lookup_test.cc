#include "cmd/mount_lookup.h"

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
    EXPECT_EQ(LexicalPath(c.path), (LookedUpPath{c.clean, std::nullopt})) << c.path;
  }
}

TEST(LookUpPath, FollowsLinksBelowTheRoot) {
  const testing::TestDirectory directory;
  ASSERT_EQ(mkdir(absl::StrCat(directory.path(), "/real").c_str(), 0700), 0);
  ASSERT_EQ(symlink("/real", absl::StrCat(directory.path(), "/link").c_str()), 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfPath(directory.path()));

  EXPECT_EQ(LookUpPath(root, "/link").path, "/real");
  EXPECT_EQ(LookUpPath(root, "/link/missing").path, "/link/missing");
}

}  // namespace
}  // namespace nsctl::cmd
