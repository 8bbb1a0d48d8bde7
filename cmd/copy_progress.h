// How far a copy is, on one line of a terminal.

#ifndef NSCTL_CMD_COPY_PROGRESS_H_
#define NSCTL_CMD_COPY_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

struct CopyState {
  // Stored text.
  std::string name;
  // Of this file. `size` 0: unknown.
  uint64_t done = 0;
  uint64_t size = 0;
  // In all.
  uint64_t files = 0;
  uint64_t bytes = 0;
};

// "[=====>    ]  52%  1.2G of 2.3G  310M/s  NAME", and "12 files" where it is not the first one.
// Fills at most `width` cells.
std::string ProgressLine(const CopyState& state, absl::Duration elapsed, size_t width);

// Draws nothing within the first second, and then ten times a second at most.
class CopyProgress {
 public:
  // `width` 0: never draws.
  CopyProgress(Writer* err, size_t width) : err_(err), width_(width), begin_(absl::Now()) {}
  ~CopyProgress() { Clear(); }

  void Begin(absl::string_view name, uint64_t size);
  void Advance(uint64_t bytes);
  void End() { ++state_.files; }

  const CopyState& state() const { return state_; }

  // Takes the line away, so that another can be written.
  void Clear();

 private:
  void Draw();

  Writer* err_;
  size_t width_;
  absl::Time begin_;
  absl::Time drawn_ = absl::InfinitePast();
  bool is_shown_ = false;
  CopyState state_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COPY_PROGRESS_H_
