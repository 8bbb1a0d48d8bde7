// What only who is in a namespace, or asks the kernel about it, learns: host names of UTS
// namespaces, numbers of network namespaces, what IPC namespaces hold.

#ifndef NSCTL_NSDISC_NAMESPACE_NAMES_H_
#define NSCTL_NSDISC_NAMESPACE_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/namespace_way.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// A namespace to be asked about.
struct NamedNamespace {
  NamespaceTarget target;
  NamespaceWay way;
};

struct UtsNames {
  // As bytes.
  std::string hostname;
  std::string domainname;

  friend bool operator==(const UtsNames&, const UtsNames&) = default;
};

class NamespaceNames {
 public:
  virtual ~NamespaceNames() = default;

  // The names of each of `namespaces`, all of type uts. Errors, each in its answer: those of
  // OpenWay, ESTALE where another namespace is there by now, and EPERM without CAP_SYS_ADMIN in the
  // namespace's owner.
  virtual std::vector<Answer<UtsNames>> UtsNamesOf(const procfsroot::Procfs& procfs,
                                                   absl::Span<const NamedNamespace> namespaces) = 0;

  // How much System V IPC there is in each of `namespaces`, all of type ipc. Errors as before.
  // Source: MSG_INFO of msgctl(2), SEM_INFO of semctl(2), SHM_INFO of shmctl(2).
  virtual std::vector<Answer<IpcCounts>> IpcCountsOf(
      const procfsroot::Procfs& procfs, absl::Span<const NamedNamespace> namespaces) = 0;

  // The number by which the caller's own network namespace knows each of `namespaces`, all of type
  // net: ENOENT where it has none. Gives none of its own accord. Errors as before.
  virtual std::vector<Answer<int32_t>> NsidsOf(const procfsroot::Procfs& procfs,
                                               absl::Span<const NamedNamespace> namespaces) = 0;
};

// Asks the running kernel: enters each UTS and IPC namespace with a thread that ends afterwards,
// unless the only one is the caller's; asks for numbers over rtnetlink(7) (RTM_GETNSID).
class KernelNamespaceNames : public NamespaceNames {
 public:
  std::vector<Answer<UtsNames>> UtsNamesOf(const procfsroot::Procfs& procfs,
                                           absl::Span<const NamedNamespace> namespaces) override;
  std::vector<Answer<IpcCounts>> IpcCountsOf(const procfsroot::Procfs& procfs,
                                             absl::Span<const NamedNamespace> namespaces) override;
  std::vector<Answer<int32_t>> NsidsOf(const procfsroot::Procfs& procfs,
                                       absl::Span<const NamedNamespace> namespaces) override;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_NAMES_H_
