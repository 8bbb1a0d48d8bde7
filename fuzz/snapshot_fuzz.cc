#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/strings/match.h"
#include "google/protobuf/util/message_differencer.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"

using google::protobuf::util::MessageDifferencer;
using nsctl::nsdisc::ParseSnapshot;

// An error is one line; what is read once is read again from what it is written as, and is found by
// its identity.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 64 << 10) return 0;
  const auto snapshot = ParseSnapshot({reinterpret_cast<const char*>(data), size}, "x");
  if (!snapshot.ok()) {
    if (absl::StrContains(snapshot.status().message(), '\n')) std::abort();
    return 0;
  }
  const auto again = ParseSnapshot((*snapshot)->SerializeAsString(), "x");
  if (!again.ok() || !MessageDifferencer::Equals(**snapshot, **again)) std::abort();

  const nsctl::nsdisc::SnapshotIndex index(**snapshot);
  for (const auto& ns : (*snapshot)->namespaces()) {
    const auto type = nsctl::nsdisc::FromProto(ns.type());
    if (type.has_value() && index.FindNamespace(*type, ns.inode()) != &ns) std::abort();
    index.RepresentativeOf(ns);
  }
  for (const auto& process : (*snapshot)->processes()) {
    if (index.FindProcess(process.pid()) != &process) std::abort();
    index.CgroupPathOf(process);
  }
  return 0;
}
