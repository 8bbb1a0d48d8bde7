// A tree of files in a directory of its own, for tests of path resolution.

#ifndef NSCTL_PROCFSROOT_TEST_TREE_H_
#define NSCTL_PROCFSROOT_TEST_TREE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "testing/test_directory.h"

namespace nsctl::procfsroot {

// Entries are made in the order given, missing directories first. The test fails where one cannot
// be made.
class TestTree {
 public:
  struct Entry {
    // 'd' directory, 'f' file, 'l' symlink, 'p' FIFO, 's' socket, 'c' the null device.
    char kind;
    std::string path;
    // A file's content, a link's target.
    std::string content = "";
  };

  explicit TestTree(const std::vector<Entry>& entries);

  // The tree's root, and a handle on it.
  const std::string& path() const { return directory_.path(); }
  base::FdRef root() const { return root_; }
  std::string PathOf(absl::string_view path) const;

  void Make(const Entry& entry);

 private:
  testing::TestDirectory directory_;
  base::OwnedFd root_;
};

// "DEVICE:INODE" of what `path` is (links not followed), or of an open file; "?" where there is
// none.
std::string IdentityOf(const std::string& path);
std::string IdentityOf(base::FdRef fd);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_TEST_TREE_H_
