// How long to wait before an engine is asked again that did not answer.

#ifndef NSCTL_ENGINES_BACKOFF_H_
#define NSCTL_ENGINES_BACKOFF_H_

#include "absl/time/time.h"

namespace nsctl::engines {

// Before the attempt after `failures` failed ones: from `shortest` on twice as long each time, up
// to `longest`, half of it certain and half times `random`, which is in [0, 1), so that attempts of
// many are spread.
absl::Duration BackoffAfter(int failures, double random, absl::Duration shortest,
                            absl::Duration longest);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_BACKOFF_H_
