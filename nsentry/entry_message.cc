#include "nsentry/entry_message.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/text.h"
#include "nsentry/standing.h"

namespace nsctl::nsentry {
namespace {

using Step = EntryPlanMessage::Step;

Step ToStep(const EntryStep& step, bool skipped) {
  Step message;
  message.set_type(base::InfoOf(step.type).name);
  message.set_action(skipped ? Step::skip : step.obstacles.empty() ? Step::enter : Step::fail);
  if (step.wanted.has_value()) message.set_inode(step.wanted->inode);
  if (step.fd.ok()) {
    if (const absl::StatusOr<uint64_t> id = base::KernelIdOf(step.fd); id.ok()) {
      message.set_kernel_id(*id);
    }
  }
  message.set_reference(base::EncodeText(step.origin));
  if (step.current != 0) message.set_current(step.current);
  if (step.owner.has_value()) message.set_owner(*step.owner);
  for (const Obstacle& obstacle : step.obstacles) {
    if (message.reason().empty()) message.set_reason(obstacle.text);
    if (obstacle.capability == 0) continue;
    EntryPlanMessage::MissingCapability* const missing = message.add_missing();
    missing->set_capability(NameOfCapability(obstacle.capability));
    if (obstacle.user_namespace.has_value()) {
      missing->set_user_namespace(*obstacle.user_namespace);
    }
  }
  return message;
}

// "net:[4026532191]", or "net" where the number is not known.
std::string NameOf(const Step& step) {
  return step.has_inode() ? absl::StrCat(step.type(), ":[", step.inode(), "]") : step.type();
}

}  // namespace

EntryPlanMessage ToMessage(const EntryPlan& plan) {
  EntryPlanMessage message;
  for (const EntryStep& step : plan.steps()) *message.add_steps() = ToStep(step, false);
  for (const EntryStep& step : plan.skipped()) *message.add_steps() = ToStep(step, true);
  message.set_at_once(plan.at_once() != 0);
  message.set_forks(plan.Enters(base::NamespaceType::kPid));
  message.set_feasible(plan.Check().ok());
  return message;
}

std::string PlanText(const EntryPlanMessage& plan) {
  std::string text;
  for (const Step& step : plan.steps()) {
    const std::string of = absl::StrCat(" of ", base::TerminalText(step.reference()));
    if (step.action() == Step::skip) {
      absl::StrAppend(&text, "skip  ", NameOf(step), ": the caller is in it already\n");
    } else if (step.action() == Step::fail) {
      absl::StrAppend(&text, "fail  ", NameOf(step), of, ": ", base::TerminalText(step.reason()),
                      "\n");
    } else {
      absl::StrAppend(&text, "enter ", NameOf(step), of);
      if (step.has_owner()) absl::StrAppend(&text, ", owned by user:[", step.owner(), "]");
      absl::StrAppend(&text, "\n");
    }
  }
  return text;
}

std::vector<EntryOutcome> OutcomesOf(const EntryPlan& plan, const EntryResult& result) {
  std::vector<EntryOutcome> outcomes;
  for (size_t i = 0; i < plan.steps().size(); ++i) {
    const EntryStep& step = plan.steps()[i];
    EntryOutcome outcome;
    outcome.set_type(base::InfoOf(step.type).name);
    if (step.current != 0) outcome.set_before(step.current);
    if (step.wanted.has_value()) outcome.set_wanted(step.wanted->inode);
    const uint32_t now = result.now[static_cast<size_t>(step.type)];
    if (now != 0) outcome.set_after(now);
    outcome.set_reference(base::EncodeText(step.origin));
    if (!result.ok() && i == static_cast<size_t>(result.step)) {
      if (result.error != 0) outcome.set_error(base::ErrnoName(result.error));
      outcome.set_reason(std::string(EntryStatus(plan, result).message()));
    } else if (!step.obstacles.empty()) {
      if (step.obstacles.front().capability != 0) outcome.set_error("EPERM");
      outcome.set_reason(step.obstacles.front().text);
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace nsctl::nsentry
