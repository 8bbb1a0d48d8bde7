// Finds the word that was probably meant.

#ifndef NSCTL_CMD_NEAREST_H_
#define NSCTL_CMD_NEAREST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// How many single-character insertions, deletions, substitutions and swaps of neighbours turn `a`
// into `b` (optimal string alignment), letters of either case being the same.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The candidate nearest to `word`: first among equals. One that starts with `word` counts as near.
// nullopt where none is close enough to be a slip of the fingers. Words of more than 64 bytes are
// near to nothing.
std::optional<std::string> NearestWord(absl::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_NEAREST_H_
