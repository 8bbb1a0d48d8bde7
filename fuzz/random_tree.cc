#include "fuzz/random_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/openat2.h"

namespace nsctl::fuzz {
namespace {

using base::OwnedFd;

constexpr size_t kMaxEntries = 24;
constexpr size_t kMaxPaths = 8;

// Takes bytes from the front; zeros at the end.
class Bytes {
 public:
  explicit Bytes(absl::Span<const uint8_t> input) : left_(input) {}
  bool empty() const { return left_.empty(); }
  uint8_t Take() {
    if (left_.empty()) return 0;
    const uint8_t byte = left_.front();
    left_.remove_prefix(1);
    return byte;
  }

 private:
  absl::Span<const uint8_t> left_;
};

// Up to seven pieces; what is between two names is a slash, or nothing.
std::string TakePath(Bytes* bytes) {
  static constexpr const char* kPieces[] = {"a", "b", "c",  "a/", "b/",  "c/", "d", "d/",
                                            ".", "/", "..", "./", "../", "//", "x", "/.."};
  const uint8_t pieces = bytes->Take() & 7;
  std::string path;
  for (uint8_t i = 0; i < pieces; ++i) absl::StrAppend(&path, kPieces[bytes->Take() & 15]);
  return path;
}

std::string DescribeFd(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) abort();
  return absl::StrCat(status.st_dev, ":", status.st_ino);
}

}  // namespace

std::string Describe(const absl::StatusOr<OwnedFd>& handle) {
  return handle.ok() ? DescribeFd(handle->get()) : handle.status().ToString();
}

RandomTree::RandomTree(absl::Span<const uint8_t> input)
    : directory_(std::filesystem::temp_directory_path() / "random_tree.XXXXXX") {
  if (mkdtemp(directory_.data()) == nullptr) abort();
  const std::string root = absl::StrCat(directory_, "/root");
  const OwnedFd outside(
      open(absl::StrCat(directory_, "/x").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!outside.ok()) abort();
  outside_ = DescribeFd(outside.get());
  if (mkdir(root.c_str(), 0700) != 0) abort();
  root_ = OwnedFd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), root);
  if (!root_.ok()) abort();
  Bytes bytes(input);
  for (uint8_t entries = bytes.Take() % kMaxEntries; entries > 0; --entries) {
    const uint8_t kind = bytes.Take();
    const std::string path = TakePath(&bytes);
    MakeEntry(kind, path, kind & 1 ? TakePath(&bytes) : "");
  }
  while (!bytes.empty() && paths_.size() < kMaxPaths) paths_.push_back(TakePath(&bytes));
}

RandomTree::~RandomTree() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

// Where `path` cannot be made the tree does without.
void RandomTree::MakeEntry(uint8_t kind, const std::string& path, const std::string& target) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "/" : path.substr(0, slash + 1);
  const std::string name = path.substr(slash + 1);
  // In the tree whatever links made before lead to.
  const absl::StatusOr<OwnedFd> holder =
      base::OpenAt2(root_, parent, O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT);
  if (!holder.ok() || name.empty() || name == "..") return;
  const int directory = holder->get();
  if (kind & 1) {
    (void)!symlinkat(target.c_str(), directory, name.c_str());
  } else if (kind & 2) {
    mkdirat(directory, name.c_str(), 0700);
  } else if (kind & 4) {
    mkfifoat(directory, name.c_str(), 0600);
  } else {
    const OwnedFd file(
        openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  }
}

}  // namespace nsctl::fuzz
