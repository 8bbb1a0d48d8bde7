#include "mounttree/mount_path.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::mounttree {
namespace {

TEST(MountPath, IsBelowByComponents) {
  EXPECT_TRUE(IsAtOrBelow("/a/b", "/a"));
  EXPECT_TRUE(IsAtOrBelow("/a", "/a"));
  EXPECT_TRUE(IsAtOrBelow("/a", "/"));
  EXPECT_TRUE(IsAtOrBelow("/", "/"));
  EXPECT_FALSE(IsAtOrBelow("/ab", "/a"));
  EXPECT_FALSE(IsAtOrBelow("/a", "/a/b"));
  EXPECT_FALSE(IsAtOrBelow("net:[1]", "/"));
}

TEST(MountPath, OrdersWhatIsBelowDirectlyBehind) {
  std::vector<std::string> paths = {"/a-b",        "/a/b",          "/a",       "/a\xff",
                                    "/",           "/a b",          "/a/b/c",   "/a/a-long-name",
                                    "/a/a-long-n", "/a/a-long-n/x", "/a/a-long"};
  std::sort(paths.begin(), paths.end(),
            [](const std::string& a, const std::string& b) { return ComparePaths(a, b) < 0; });
  EXPECT_THAT(paths,
              ::testing::ElementsAre("/", "/a", "/a/a-long", "/a/a-long-n", "/a/a-long-n/x",
                                     "/a/a-long-name", "/a/b", "/a/b/c", "/a b", "/a-b", "/a\xff"));
  EXPECT_EQ(ComparePaths("/a/b", "/a/b"), 0);
}

TEST(MountPath, MovesToAnotherDirectory) {
  EXPECT_EQ(MovePath("/mnt/a", "/mnt", "/"), "/a");
  EXPECT_EQ(MovePath("/mnt/a/b", "/mnt", "/srv"), "/srv/a/b");
  EXPECT_EQ(MovePath("/mnt", "/mnt", "/srv"), "/srv");
  EXPECT_EQ(MovePath("/mnt", "/mnt", "/"), "/");
  EXPECT_EQ(MovePath("/a", "/", "/srv"), "/srv/a");
  EXPECT_EQ(MovePath("/", "/", "/srv"), "/srv");
  EXPECT_EQ(MovePath("/a", "/", "/"), "/a");
}

}  // namespace
}  // namespace nsctl::mounttree
