// What runs in the processes of a NamespaceFixture: after fork(2) in a program that may have
// threads, so nothing here or below allocates, locks or uses the C library for more than system
// calls.

#ifndef NSCTL_TESTING_FIXTURE_CHILD_H_
#define NSCTL_TESTING_FIXTURE_CHILD_H_

#include <sys/types.h>

#include <array>
#include <cstddef>

#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "testing/namespace_fixture.h"

namespace nsctl::testing {

// The text of a link below ns/, or the errno of reading it.
struct LinkReport {
  char text[32];
  int error;
};

struct TaskReport {
  pid_t id;
  // Indexed by NamespaceType.
  std::array<LinkReport, base::kNamespaceTypeCount> in;
  std::array<LinkReport, base::kNamespaceTypeCount> for_children;
};

struct ProcessReport {
  // It has taken all its steps.
  bool rests;
  TaskReport process;
  std::array<TaskReport, NamespaceFixture::kMaxThreads> threads;
};

// In memory that all processes of a chain share.
struct ChainReport {
  // Where a process failed, and why; nullptr while none has.
  const char* failed_call;
  int error;
  std::array<ProcessReport, NamespaceFixture::kMaxProcesses> processes;
};

// Starts the process `number` of `chain`, and it the ones after it, and waits until all rest or one
// failed; the latter is in `report`. Returns the process's number to the caller, which has to kill
// and reap it in either case; -1 where there is none. `timeout` counts for each wait.
pid_t StartProcess(absl::Span<const ProcessSpec> chain, size_t number, int timeout_ms,
                   ChainReport* report);

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_FIXTURE_CHILD_H_
