#include "cmd/tree_branches.h"

#include <algorithm>
#include <cstddef>

namespace nsctl::cmd {

std::vector<std::string> DrawBranches(absl::Span<const uint32_t> depths, const Glyphs& glyphs,
                                      uint32_t max_depth) {
  std::vector<std::string> branches(depths.size());
  // By level: a row of the same parent follows. Rows are met from the last to the first.
  std::vector<bool> continues(size_t{max_depth} + 1, false);
  for (size_t i = depths.size(); i > 0; --i) {
    const uint32_t depth = std::min(depths[i - 1], max_depth);
    std::string& branch = branches[i - 1];
    for (uint32_t level = 1; level < depth; ++level) {
      branch += continues[level] ? glyphs.line : glyphs.blank;
    }
    if (depth > 0) branch += continues[depth] ? glyphs.branch : glyphs.last_branch;
    continues[depth] = true;
    std::fill(continues.begin() + depth + 1, continues.end(), false);
  }
  return branches;
}

}  // namespace nsctl::cmd
