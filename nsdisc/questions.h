// All that a discovery asks of a kernel beyond what a procfs shows, each behind an interface of its
// own so that tests can answer.

#ifndef NSCTL_NSDISC_QUESTIONS_H_
#define NSCTL_NSDISC_QUESTIONS_H_

#include "nsdisc/bpf_census.h"
#include "nsdisc/foreign_fds.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_names.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// Borrowed. What is nullptr is not asked, and the sources that need it are unavailable.
struct Questions {
  // Never nullptr.
  Lineage* lineage = nullptr;
  ForeignFdAccess* foreign_fds = nullptr;
  NamespaceCensus* census = nullptr;
  // Asked only where a scan's options want it.
  BpfCensus* bpf_census = nullptr;
  NamespaceNames* names = nullptr;
};

// The running kernel.
class KernelQuestions {
 public:
  // What it may be asked about what `procfs` shows: nothing about a recorded tree; nothing by the
  // number of a process where the procfs has other numbers than the caller's PID namespace.
  Questions For(const procfsroot::Procfs& procfs) {
    Questions questions{.lineage = &lineage_};
    if (procfs.has_own_pids()) questions.foreign_fds = &foreign_fds_;
    if (procfs.is_kernel()) {
      questions.census = &census_;
      questions.bpf_census = &bpf_census_;
      questions.names = &names_;
    }
    return questions;
  }

 private:
  KernelLineage lineage_;
  KernelForeignFds foreign_fds_;
  KernelCensus census_;
  KernelBpfCensus bpf_census_;
  KernelNamespaceNames names_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_QUESTIONS_H_
