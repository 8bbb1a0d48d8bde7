#include "base/poll_timeout.h"

#include <algorithm>
#include <climits>
#include <cstdint>

#include "absl/time/clock.h"

namespace nsctl::base {

int PollTimeout(absl::Duration patience) {
  if (patience == absl::InfiniteDuration()) return -1;
  const absl::Duration whole = absl::Ceil(patience, absl::Milliseconds(1));
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(whole), 0, INT_MAX));
}

int PollTimeout(absl::Time deadline) { return PollTimeout(deadline - absl::Now()); }

}  // namespace nsctl::base
