#include "procfsroot/test_tree.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using base::FdRef;
using base::OwnedFd;

int MakeSocket(int directory, const std::string& path) {
  const OwnedFd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Through the descriptor, so that the path may be of any length; the name alone must be short.
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  const OwnedFd parent_fd(openat(directory, parent.c_str(), O_PATH | O_CLOEXEC));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name =
      absl::StrCat("/proc/self/fd/", parent_fd.get(), "/", path.substr(slash + 1));
  if (name.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  memcpy(address.sun_path, name.data(), name.size());
  const int result =
      bind(socket_fd.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address));
  return result == 0 ? 0 : errno;
}

int MakeFile(FdRef directory, const TestTree::Entry& entry) {
  const absl::StatusOr<OwnedFd> file =
      base::OpenAt(directory, entry.path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file.ok()) return base::ErrnoOf(file.status());
  return base::ErrnoOf(base::WriteAll(*file, entry.content));
}

std::string Print(int result, const struct stat& status) {
  return result == 0 ? absl::StrCat(status.st_dev, ":", status.st_ino) : "?";
}

}  // namespace

TestTree::TestTree(const std::vector<Entry>& entries)
    : root_(open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), directory_.path()) {
  for (const Entry& entry : entries) Make(entry);
}

std::string TestTree::PathOf(absl::string_view path) const {
  return absl::StrCat(directory_.path(), "/", path);
}

void TestTree::Make(const Entry& entry) {
  for (size_t at = entry.path.find('/'); at != std::string::npos;
       at = entry.path.find('/', at + 1)) {
    mkdirat(root_.get(), entry.path.substr(0, at).c_str(), 0755);
  }
  int error = 0;
  const char* const path = entry.path.c_str();
  const auto check = [&error](int result) { error = result == 0 ? 0 : errno; };
  switch (entry.kind) {
    case 'd':
      mkdirat(root_.get(), path, 0755);
      break;
    case 'f':
      error = MakeFile(root_, entry);
      break;
    case 'l':
      check(symlinkat(entry.content.c_str(), root_.get(), path));
      break;
    case 'p':
      check(mkfifoat(root_.get(), path, 0644));
      break;
    case 's':
      error = MakeSocket(root_.get(), entry.path);
      break;
    case 'c':
      check(mknodat(root_.get(), path, S_IFCHR | 0666, makedev(1, 3)));
      break;
  }
  EXPECT_EQ(error, 0) << entry.path << ": " << base::ErrnoName(error);
}

std::string IdentityOf(const std::string& path) {
  struct stat status;
  const int result = lstat(path.c_str(), &status);
  return Print(result, status);
}

std::string IdentityOf(FdRef fd) {
  struct stat status;
  const int result = fstat(fd.get(), &status);
  return Print(result, status);
}

}  // namespace nsctl::procfsroot
