// Which processes share a container, as far as namespaces tell: for limits on what one container
// may take, so that it cannot take another's, or the host's.

#ifndef NSCTL_ENGINES_INSIDE_READER_H_
#define NSCTL_ENGINES_INSIDE_READER_H_

#include <cstdint>

#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// For one thread at a time.
class InsideReader {
 public:
  // `procfs` must outlive this object.
  explicit InsideReader(const procfsroot::Procfs& procfs) : procfs_(procfs) {}

  // Inode number of the PID namespace right below the caller's that the process is in or below, or
  // of its mount namespace where it is in the caller's PID namespace; 0 for the host's own, and
  // where nothing can be read. Namespaces below one of a container's own count as that.
  uint64_t InsideOf(base::Pid pid);

 private:
  bool FindOwn();

  const procfsroot::Procfs& procfs_;
  uint64_t own_pid_namespace_ = 0;
  uint64_t own_mnt_namespace_ = 0;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_INSIDE_READER_H_
