// A small tree of files, and paths through it, made from a fuzzer's input.

#ifndef NSCTL_FUZZ_RANDOM_TREE_H_
#define NSCTL_FUZZ_RANDOM_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/fd.h"

namespace nsctl::fuzz {

// Names are so few that links and paths often meet something. The tree is in a directory of its own
// below the temporary directory, beside a file "outside" that no path through it may reach, and is
// removed at the end.
class RandomTree {
 public:
  explicit RandomTree(absl::Span<const uint8_t> input);
  RandomTree(const RandomTree&) = delete;
  RandomTree& operator=(const RandomTree&) = delete;
  ~RandomTree();

  // A handle on the tree's root, whose path is absolute.
  base::FdRef root() const { return root_; }
  // The file outside, as Describe writes it.
  const std::string& outside() const { return outside_; }
  // What to resolve.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  void MakeEntry(uint8_t kind, const std::string& path, const std::string& target);

  std::string directory_;
  base::OwnedFd root_;
  std::string outside_;
  std::vector<std::string> paths_;
};

// "DEVICE:INODE" of a handle, or why there is none.
std::string Describe(const absl::StatusOr<base::OwnedFd>& handle);

}  // namespace nsctl::fuzz

#endif  // NSCTL_FUZZ_RANDOM_TREE_H_
