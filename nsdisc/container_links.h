// Which container each process of a snapshot is in.
//
// Engines say which process each of their containers began with. The rest follows from the kernel
// alone: a process is in a container where it is in a cgroup that is the container's own, descends
// from the initial process, or is in the PID namespace that began with it; of several containers it
// is in the innermost. A cgroup is a container's own where the initial process is in it, and
// neither an ancestor of that, nor an engine, nor another container's initial process is.
//
// Engines may lie, since anybody in a container can run one. Engines in the host's own namespaces
// are believed first. The word of any other counts only below itself: of processes that are in the
// container that it runs in, in its own PID and user namespaces or in ones below them, and are no
// ancestors of it. What is a container by a user's word alone, be he an engine's or one who wrote a
// runtime's state, is around that user's processes only: those that run as he, or are in user
// namespaces that he owns.

#ifndef NSCTL_NSDISC_CONTAINER_LINKS_H_
#define NSCTL_NSDISC_CONTAINER_LINKS_H_

#include <vector>

#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

struct ContainerLinks {
  static constexpr int kNone = -1;

  // By position in Snapshot.processes: an index into Snapshot.containers, or kNone.
  std::vector<int> of_process;
  // By index of a container.
  std::vector<bool> is_refused;
};

// Takes time in proportion to the processes, times the engines outside of the host's own namespaces
// that have containers. Processes need not be read in detail: without their cgroups what only a
// cgroup tells is missing.
ContainerLinks FindContainerLinks(const Snapshot& snapshot);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CONTAINER_LINKS_H_
