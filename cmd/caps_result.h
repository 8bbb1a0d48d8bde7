// From a snapshot to what `nsctl caps` answers.

#ifndef NSCTL_CMD_CAPS_RESULT_H_
#define NSCTL_CMD_CAPS_RESULT_H_

#include <cstdint>
#include <optional>

#include "cmd/caps.pb.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

struct CapsRequest {
  const nsdisc::Process* process;
  // nullptr: its own user namespace, and verdicts on its other namespaces as well.
  const nsdisc::Namespace* target = nullptr;
  // Of the process, where they are known.
  std::optional<uint32_t> securebits = std::nullopt;
};

// What could not be told is a gap. `request` points into the snapshot of `index`.
CapabilityReport BuildCapabilityReport(const nsdisc::SnapshotIndex& index,
                                       const CapsRequest& request);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CAPS_RESULT_H_
