// Collects what a scan could not read.

#ifndef NSCTL_NSDISC_GAP_LIST_H_
#define NSCTL_NSDISC_GAP_LIST_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// What a gap is about. Subjects order by kind as listed, then by number.
struct GapSubject {
  enum Kind { kHost, kProcess, kThread, kNamespace, kCgroup } kind = kHost;
  // PID, TID or inode.
  uint64_t number = 0;
  // For kNamespace.
  base::NamespaceType type = base::NamespaceType::kMnt;
  // For kCgroup: its path.
  std::string path = "";

  friend auto operator<=>(const GapSubject&, const GapSubject&) = default;
};

// Not thread-safe: each worker has its own, and they are merged.
class GapList {
 public:
  // One failed read. Repetitions with the same subject, operation, errno and consequence add up.
  void Add(const GapSubject& subject, absl::string_view operation, int error,
           absl::string_view consequence, uint64_t count = 1);

  // The same for a read whose error is known by its name alone: "EACCES".
  void Add(const GapSubject& subject, absl::string_view operation, absl::string_view error,
           absl::string_view consequence, uint64_t count = 1);

  // Takes all of `other`'s.
  void Merge(GapList other);

  // All gaps in the order that Snapshot.gaps states.
  void MoveTo(google::protobuf::RepeatedPtrField<Gap>* gaps);

 private:
  using Key = std::tuple<GapSubject, std::string, std::string, std::string>;
  std::map<Key, uint64_t> counts_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_GAP_LIST_H_
