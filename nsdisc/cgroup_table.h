// The distinct contents of /proc/PID/cgroup: thousands of processes share a few hundred.

#ifndef NSCTL_NSDISC_CGROUP_TABLE_H_
#define NSCTL_NSDISC_CGROUP_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/process.pb.h"

namespace nsctl::nsdisc {

// Thread-safe.
class CgroupTable {
 public:
  // A number for `text`, the same for the same text. Numbers depend on the order of calls.
  uint32_t Intern(absl::string_view text) ABSL_LOCKS_EXCLUDED(mutex_);

  // By their numbers.
  std::vector<std::string> Texts() const ABSL_LOCKS_EXCLUDED(mutex_);

  struct Parsed {
    std::string text;
    Cgroups cgroups;
    // False where the text was malformed; `cgroups` then holds the lines before the fault.
    bool well_formed = true;
  };
  // All contents ordered by text, which does not depend on the order of calls, and in `position`
  // for each number of Intern its index in the result. Leaves the table empty.
  std::vector<Parsed> Finish(std::vector<uint32_t>* position) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, uint32_t> numbers_ ABSL_GUARDED_BY(mutex_);
};

// The content of one /proc/PID/cgroup. False as for CgroupTable::Parsed::well_formed.
bool ParseCgroups(absl::string_view text, Cgroups* cgroups);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CGROUP_TABLE_H_
