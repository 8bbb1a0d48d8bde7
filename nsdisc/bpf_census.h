// All namespaces of the running kernel as its memory has them, by a BPF program (Linux 6.18).
//
// For who wants to see beyond what the kernel lists of itself: namespaces of every type, one more
// account to compare the others with. Nothing is attached or pinned and nothing stays behind.

#ifndef NSCTL_NSDISC_BPF_CENSUS_H_
#define NSCTL_NSDISC_BPF_CENSUS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_layout.h"

namespace nsctl::nsdisc {

class BpfCensus {
 public:
  virtual ~BpfCensus() = default;

  struct Listing {
    // By type as listed in NamespaceType, then by id; inodes are told.
    std::vector<ListedNamespace> namespaces;
    // OK where that is all. DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED where a list was so long that
    // the walk was cut short.
    absl::Status missing;
  };

  // All namespaces of the kernel that are in use, not only what the caller's PID and user
  // namespaces may see. What is made or ends meanwhile may be there or not.
  //
  // Errors, each saying which step failed: those of reading the kernel's description of its types,
  // ENOENT where it has none; UNIMPLEMENTED where that tells no lists of namespaces (before Linux
  // 6.18) or none that are known; those of LoadBpfProgram (base/bpf.h): EPERM without CAP_BPF and
  // CAP_PERFMON in the initial user namespace, and where the kernel is locked down; DATA_LOSS where
  // what was found is not what it should be.
  virtual absl::StatusOr<Listing> List() = 0;
};

// What failed of a List and how, as gaps tell it: "BPF census: bpf BPF_PROG_LOAD", EPERM.
struct CensusFailure {
  std::string operation;
  int error = 0;
};
CensusFailure DescribeFailure(const absl::Status& status);

// Asks the running kernel. Costs 2 ms the first time, for the description, and then 0.3 ms.
class KernelBpfCensus : public BpfCensus {
 public:
  absl::StatusOr<Listing> List() override;

 private:
  std::optional<NamespaceLayout> layout_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_BPF_CENSUS_H_
