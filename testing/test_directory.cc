#include "testing/test_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace nsctl::testing {

TestDirectory::TestDirectory() {
  std::string path = absl::StrCat(::testing::TempDir(), "/nsctl.XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    ADD_FAILURE() << "mkdtemp " << path << " failed";
    return;
  }
  path_ = std::filesystem::canonical(path).string();
}

TestDirectory::~TestDirectory() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
  EXPECT_FALSE(error) << "removing " << path_ << ": " << error.message();
}

}  // namespace nsctl::testing
