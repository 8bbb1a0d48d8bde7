// Keeps a large result that nobody needs any more until the process ends. Taking one apart message
// by message costs as much as writing it, and the kernel takes the memory back at once.

#ifndef NSCTL_CMD_KEEP_UNTIL_EXIT_H_
#define NSCTL_CMD_KEEP_UNTIL_EXIT_H_

#include <memory>
#include <utility>
#include <vector>

namespace nsctl::cmd {

// For commands that end once they have written: each call takes memory for good. Not thread-safe.
template <typename T>
void KeepUntilExit(std::unique_ptr<T> result) {
  // Found by who looks for leaks, and not destroyed on the way out.
  static auto& kept = *new std::vector<std::unique_ptr<T>>();
  kept.push_back(std::move(result));
}

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_KEEP_UNTIL_EXIT_H_
