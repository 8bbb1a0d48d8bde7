// path_resolution(7) in a hundred lines: what a path leads to in a tree of files that was looked at
// beforehand. Asks no kernel, so that it can be wrong only in ways of its own.

#ifndef NSCTL_FUZZ_TREE_MODEL_H_
#define NSCTL_FUZZ_TREE_MODEL_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nsctl::fuzz {

class TreeModel {
 public:
  // The tree below `root`, a path. Nothing may change it meanwhile.
  explicit TreeModel(const std::string& root);

  struct Answer {
    // The errno; 0 where there is none.
    int error = 0;
    // "DEVICE:INODE"; empty where there is an error.
    std::string file = {};

    friend bool operator==(const Answer&, const Answer&) = default;
  };
  // Where `path` leads to inside of the tree. `follow_last` as for procfsroot::Resolve.
  Answer Resolve(absl::string_view path, bool follow_last) const;

 private:
  enum class Kind { kOther, kDirectory, kLink };
  struct Node {
    Kind kind = Kind::kOther;
    std::string file = {};
    size_t parent = 0;
    std::map<std::string, size_t> entries = {};
    std::string target = {};
  };

  size_t Add(const std::string& path, size_t parent);

  // The first is the root.
  std::vector<Node> nodes_;
};

}  // namespace nsctl::fuzz

#endif  // NSCTL_FUZZ_TREE_MODEL_H_
