// The capability sets of a process, asked for by its number.
//
// Source: capget(2), capabilities(7).

#ifndef NSCTL_BASE_CAPGET_H_
#define NSCTL_BASE_CAPGET_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"

namespace nsctl::base {

// Bit masks, bit 0 for CAP_CHOWN.
struct CapabilityMasks {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;

  friend bool operator==(const CapabilityMasks&, const CapabilityMasks&) = default;
};

// Of the thread with the number `tid`, or of the calling one for 0; needs no rights over it. The
// bounding and ambient sets are in /proc/PID/status alone. ESRCH: no such thread. One system call.
absl::StatusOr<CapabilityMasks> CapabilityMasksOf(Tid tid);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_CAPGET_H_
