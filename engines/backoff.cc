#include "engines/backoff.h"

#include <algorithm>

namespace nsctl::engines {

absl::Duration BackoffAfter(int failures, double random, absl::Duration shortest,
                            absl::Duration longest) {
  constexpr int kMaxDoublings = 30;
  const absl::Duration all =
      std::min(longest, shortest * static_cast<double>(1ULL << std::min(failures, kMaxDoublings)));
  return all * (0.5 + 0.5 * random);
}

}  // namespace nsctl::engines
