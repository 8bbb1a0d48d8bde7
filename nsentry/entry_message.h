// Entry plans and their outcomes as messages and as text.

#ifndef NSCTL_NSENTRY_ENTRY_MESSAGE_H_
#define NSCTL_NSENTRY_ENTRY_MESSAGE_H_

#include <string>
#include <vector>

#include "nsentry/enter.h"
#include "nsentry/entry.pb.h"
#include "nsentry/entry_plan.h"

namespace nsctl::nsentry {

EntryPlanMessage ToMessage(const EntryPlan& plan);

// One line for each step, in the order of the message, each ended by a newline and safe for a
// terminal:
//   enter user:[4026532187] of process 1234, owned by user:[4026531837]
//   skip  uts:[4026531838]: the caller is in it already
//   fail  net:[4026532191] of /run/netns/x: needs CAP_SYS_ADMIN in user:[4026531837]
std::string PlanText(const EntryPlanMessage& plan);

// How each step of the plan came out, in its order; what is left out is not among them.
std::vector<EntryOutcome> OutcomesOf(const EntryPlan& plan, const EntryResult& result);

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTRY_MESSAGE_H_
