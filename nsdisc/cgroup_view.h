// Control groups as the processes of the host see them, for who is in a cgroup namespace.
//
// In a cgroup namespace the kernel shows paths relative to its root, and nothing tells what that is
// called outside (cgroup_namespaces(7)). What a thread reads depends on where it is itself by then.

#ifndef NSCTL_NSDISC_CGROUP_VIEW_H_
#define NSCTL_NSDISC_CGROUP_VIEW_H_

#include <utility>

#include "base/fd.h"
#include "nsdisc/gap_list.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

class CgroupView {
 public:
  // The view of process 1, or, where that is refused, of kthreadd. A view that is the calling
  // thread's own, or that it may not have, changes nothing; the latter is a gap.
  static CgroupView OfHost(const procfsroot::Procfs& procfs, GapList* gaps);

  // While an object of this class is there, its thread has the view. One at a time in a thread.
  class Visit {
   public:
    explicit Visit(const CgroupView& view);
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit();

   private:
    // Absent where the thread went nowhere.
    base::FdRef back_;
  };

  // That of the thread itself.
  CgroupView() = default;

 private:
  CgroupView(base::OwnedFd host, base::OwnedFd own)
      : host_(std::move(host)), own_(std::move(own)) {}

  // Both are absent where there is nowhere to go.
  base::OwnedFd host_;
  base::OwnedFd own_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CGROUP_VIEW_H_
