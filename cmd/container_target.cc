#include "cmd/container_target.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/diagnostics.h"
#include "cmd/engine_inquiry.h"
#include "cmd/initial_process.h"
#include "cmd/unasked_engines.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

using engines::Container;

absl::StatusOr<std::unique_ptr<engines::Containers>> ContainerTargets::Ask(
    const Target& target, const std::string& procfs, AskFor what,
    const EngineInquiry::Enough& enough) {
  const absl::Time now = absl::Now();
  if (deadline_ == absl::InfiniteFuture()) {
    deadline_ = now + wait_;
  } else if (now >= deadline_) {
    return nullptr;
  }
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs opened, env_.system->OpenProcfs(procfs));
  NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<EngineInquiry> inquiry,
                         env_.system->AskEngines(opened, what, {}));
  if (inquiry == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(base::TerminalText(ToString(target)),
                     ": engines tell of containers on the running host alone"));
  }
  return std::make_unique<engines::Containers>(inquiry->Await(deadline_, enough));
}

absl::StatusOr<const Container*> ContainerTargets::FindStopped(const Target& target,
                                                               const std::string& procfs) {
  if (known_stopped_ == nullptr) {
    NSCTL_ASSIGN_OR_RETURN(known_stopped_, Ask(target, procfs, AskFor::kStopped, nullptr));
  }
  if (known_stopped_ == nullptr) return nullptr;
  const absl::StatusOr<const Container*> found = FindContainer(*known_stopped_, target);
  return found.ok() && (*found)->pid() == 0 ? *found : nullptr;
}

absl::StatusOr<const Container*> ContainerTargets::Find(const Target& target,
                                                        const std::string& procfs) {
  const auto is_sure = [&target](const engines::Containers& known) {
    const absl::StatusOr<const Container*> found = FindContainer(known, target);
    return found.ok() && !IsOnlyForeign(known, target, **found) &&
           DoubtAbout(known, target, **found).text.empty();
  };
  if (known_ == nullptr || (partly_known_ && !is_sure(*known_))) {
    partly_known_ = false;
    NSCTL_ASSIGN_OR_RETURN(
        auto known, Ask(target, procfs, AskFor::kPresent, [&](const engines::Containers& so_far) {
          partly_known_ = is_sure(so_far);
          return partly_known_;
        }));
    if (known != nullptr) known_ = std::move(known);
  }
  const std::string name = base::TerminalText(ToString(target));
  absl::StatusOr<const Container*> found = FindContainer(*known_, target);
  if (absl::IsNotFound(found.status())) {
    if (const Container* const evident = FindByEvidence(*known_, target); evident != nullptr) {
      Complain(env_, command_,
               absl::StrCat(name, ": its engine does not answer; taken is what its processes look ",
                            "like: evidence/", base::TerminalText(evident->name())));
      return evident;
    }
    // Engines are asked for those only where it matters.
    NSCTL_ASSIGN_OR_RETURN(const Container* const stopped, FindStopped(target, procfs));
    if (stopped != nullptr) return stopped;
    return absl::NotFoundError(absl::StrCat(found.status().message(), UnaskedText(known_->gaps())));
  }
  if (!found.ok()) return found;
  const Doubt doubt = DoubtAbout(*known_, target, **found);
  if (doubt.has_rival) {
    return absl::UnavailableError(
        absl::StrCat(name, ": ", doubt.text, "; write ", doubt.instead, " where that is meant"));
  }
  if (!doubt.text.empty()) Complain(env_, command_, absl::StrCat(name, ": ", doubt.text));
  if (IsOnlyForeign(*known_, target, **found)) {
    NSCTL_ASSIGN_OR_RETURN(const Container* const stopped, FindStopped(target, procfs));
    if (stopped != nullptr) return stopped;
    // Who named the container around it knows.
    const engines::Engine* const engine = EngineOf(*known_, **found);
    if (engine != nullptr && engine->foreign() && engine->parent_container().empty()) {
      Complain(env_, command_,
               absl::StrCat(name, ": no engine of the host has one; taken is that of ",
                            DescribeEngineOf(*known_, **found)));
    }
  }
  return found;
}

absl::StatusOr<Target> ContainerTargets::Resolve(const Target& target, const std::string& procfs) {
  if (!IsContainer(target)) return target;
  NSCTL_ASSIGN_OR_RETURN(const Container* container, Find(target, procfs));
  NSCTL_ASSIGN_OR_RETURN(const ProcessTarget process,
                         InitialProcessOf(*container, env_.system->Now()));
  return process;
}

absl::StatusOr<Target> ContainerTargets::ResolveToRun(const Target& target) {
  if (!IsContainer(target)) return target;
  NSCTL_ASSIGN_OR_RETURN(const Container* container, Find(target, ""));
  NSCTL_ASSIGN_OR_RETURN(const ProcessTarget process,
                         InitialProcessOf(*container, env_.system->Now()));
  if (container->state() == Container::paused || container->state() == Container::pausing) {
    return absl::FailedPreconditionError(
        absl::StrCat("container ", base::TerminalText(container->name()),
                     " is paused: what is run in it would not go on; name process ",
                     process.pid.value, " to do it all the same"));
  }
  return process;
}

absl::StatusOr<TargetRoot> OpenContainerOrOther(const Target& target, const std::string& procfs,
                                                procfsroot::RootOptions options,
                                                ContainerTargets* containers, Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const Target resolved, containers->Resolve(target, procfs));
  if (IsContainer(target) && options.name.empty()) {
    options.name = absl::StrCat(base::DecodeText(ToString(target)).value_or(""), ":");
  }
  return env.system->OpenRoot(resolved, procfs, options);
}

}  // namespace nsctl::cmd
