// Which holders of a namespace two snapshots can be compared by.

#ifndef NSCTL_NSDISC_DIFF_HOLDERS_H_
#define NSCTL_NSDISC_DIFF_HOLDERS_H_

#include "nsdisc/diff_rules.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

struct HolderRules {
  // PIDs mean the same in both snapshots.
  bool same_pids = true;
  // Leave out holders that went with their process, or came or went with their mount namespace:
  // its own change tells that.
  bool leave_out_implied = true;
};

// A namespace's lists of holders in two parts, everything else of it in the first.
struct SplitHolders {
  // Those that the other side has too, or would show if they were there.
  Namespace comparable;
  // Those that it does not have and could not have seen. Has the lists alone.
  Namespace unseen;
};

// Of `ns` as `own` has it, `counterpart` being what `other` has of it. `gone` where `own` is the
// earlier side.
SplitHolders SplitByKnowledge(const Namespace& ns, const DiffSide& own,
                              const Namespace& counterpart, const DiffSide& other, bool gone,
                              const HolderRules& rules);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_HOLDERS_H_
