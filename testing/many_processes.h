// Many processes that do nothing, made cheaply: for tests and benchmarks of growth.
//
// They share one address space, so each costs the kernel's own memory (some 30 KiB) and about 100
// microseconds, but are processes of their own in every other way. Namespaces of their own cost
// what the kernel takes for them: 2 to 3 ms for net.

#ifndef NSCTL_TESTING_MANY_PROCESSES_H_
#define NSCTL_TESTING_MANY_PROCESSES_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::testing {

struct ManyProcessesOptions {
  size_t count = 0;
  // CLONE_NEW* but time: each is in new namespaces of these types.
  int namespaces = 0;
  // More threads of each.
  size_t threads = 0;
  // Descriptors of each, open on /dev/null, besides the test's standard streams.
  size_t files = 0;
};

class ManyProcesses {
 public:
  // Returns once all are there. They are children of one more process, a child of this one, and end
  // with the object or with the calling thread. Errors: those of the calls that make processes,
  // such as EPERM without CAP_SYS_ADMIN for namespaces and EAGAIN at a limit on processes.
  static absl::StatusOr<std::unique_ptr<ManyProcesses>> Start(const ManyProcessesOptions& options);

  ManyProcesses(const ManyProcesses&) = delete;
  ManyProcesses& operator=(const ManyProcesses&) = delete;
  // Ends and reaps all of them.
  ~ManyProcesses();

  // In the order in which they were started. The parent is not among them.
  const std::vector<base::Pid>& pids() const { return pids_; }

 private:
  ManyProcesses(pid_t parent, base::OwnedFd hold) : parent_(parent), hold_(std::move(hold)) {}

  pid_t parent_;
  // The parent ends its children and itself when this is closed.
  base::OwnedFd hold_;
  std::vector<base::Pid> pids_;
};

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_MANY_PROCESSES_H_
