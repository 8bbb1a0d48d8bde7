#include "testing/test_directory.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace nsctl::testing {
namespace {

namespace fs = std::filesystem;

TEST(TestDirectory, GoesWithAllThatIsInIt) {
  std::string path;
  {
    const TestDirectory directory;
    path = directory.path();
    ASSERT_TRUE(fs::is_empty(path));
    fs::create_directories(path + "/a/b");
    std::ofstream(path + "/a/b/c") << "x";
  }

  EXPECT_FALSE(fs::exists(path));
}

TEST(TestDirectory, LeavesWhatItsLinksLeadTo) {
  const TestDirectory kept;
  std::ofstream(kept.path() + "/x") << "x";
  {
    const TestDirectory directory;
    fs::create_symlink(kept.path(), directory.path() + "/link");
  }

  EXPECT_TRUE(fs::exists(kept.path() + "/x"));
}

TEST(TestDirectory, IsNeverTheSame) {
  const TestDirectory one;
  const TestDirectory other;

  EXPECT_NE(one.path(), other.path());
}

}  // namespace
}  // namespace nsctl::testing
