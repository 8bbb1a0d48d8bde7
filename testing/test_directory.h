// A directory of its own for a test, removed with all that is in it.

#ifndef NSCTL_TESTING_TEST_DIRECTORY_H_
#define NSCTL_TESTING_TEST_DIRECTORY_H_

#include <string>

namespace nsctl::testing {

// Below ::testing::TempDir(). Where it cannot be made the test fails and path() is empty.
class TestDirectory {
 public:
  TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  // Follows no links.
  ~TestDirectory();

  // Absolute, without a slash at its end.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_TEST_DIRECTORY_H_
