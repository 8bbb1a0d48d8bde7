// Draws rows that know their depth as a tree.

#ifndef NSCTL_CMD_TREE_BRANCHES_H_
#define NSCTL_CMD_TREE_BRANCHES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cmd/presentation.h"

namespace nsctl::cmd {

// What stands before each row: nothing for depth 0, and for each deeper level a branch or a line.
// `depths` are of the rows in their order, parents before children. Levels past `max_depth` are
// drawn as that one: who stacks mounts or processes thousands deep shall not make the output grow
// with the square of it.
std::vector<std::string> DrawBranches(absl::Span<const uint32_t> depths, const Glyphs& glyphs,
                                      uint32_t max_depth = 64);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_BRANCHES_H_
