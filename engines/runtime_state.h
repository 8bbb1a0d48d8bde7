// The files in which runc and crun keep the state of each container. Pure.

#ifndef NSCTL_ENGINES_RUNTIME_STATE_H_
#define NSCTL_ENGINES_RUNTIME_STATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"

namespace nsctl::engines {

// What such a file is at most read of.
inline constexpr size_t kMaxRuntimeState = 1 << 20;

struct RuntimeState {
  // Stored text; empty in crun's files, whose folder is named by it.
  std::string id;
  // As the runtime counts.
  int64_t pid = 0;
  // Clock ticks since boot.
  uint64_t start_time = 0;
  // As in RFC 3339; empty where it is not said.
  std::string created;
  Labels annotations;
};

// `text` is runc's state.json or crun's status, most of which is passed over unread. Errors:
// INVALID_ARGUMENT where it is neither.
absl::StatusOr<RuntimeState> ParseRuntimeState(absl::string_view text);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_RUNTIME_STATE_H_
