// From a TARGET that is a container to its initial process, where the running engines tell.

#ifndef NSCTL_CMD_CONTAINER_TARGET_H_
#define NSCTL_CMD_CONTAINER_TARGET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/container_search.h"
#include "cmd/engine_inquiry.h"
#include "cmd/environment.h"
#include "cmd/target.h"
#include "cmd/target_root.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// Asks all engines once, when the first container is looked for, and keeps what they told; waits
// for no engine that cannot matter. Borrows the environment. No thread is left when a call returns.
class ContainerTargets {
 public:
  // `command` says on stderr where a name may mean another container as well. `wait`: how long
  // engines are waited for, all calls taken together.
  ContainerTargets(const char* command, Environment* env, absl::Duration wait)
      : command_(command), env_(*env), wait_(wait) {}

  // What `target` means: the initial process where it names a container, with what tells it from
  // another of its number; else `target` itself. Where the engine that may have it does not answer
  // that is what FindByEvidence has, which is said on stderr. Errors: those of FindContainer and
  // InitialProcessOf, which is asked of containers that do not run too; UNAVAILABLE where an engine
  // that did not tell seems to have another one of that name; FAILED_PRECONDITION where `procfs`,
  // as in System::OpenProcfs, is not that of the running host.
  absl::StatusOr<Target> Resolve(const Target& target, const std::string& procfs = "");

  // The same; FAILED_PRECONDITION also for a paused container, where nothing would run.
  absl::StatusOr<Target> ResolveToRun(const Target& target);

 private:
  // null where there is no time left of what is waited at most.
  absl::StatusOr<std::unique_ptr<engines::Containers>> Ask(const Target& target,
                                                           const std::string& procfs, AskFor what,
                                                           const EngineInquiry::Enough& enough);
  absl::StatusOr<const engines::Container*> Find(const Target& target, const std::string& procfs);
  // Among those that do not run; nullptr where there is none.
  absl::StatusOr<const engines::Container*> FindStopped(const Target& target,
                                                        const std::string& procfs);

  const char* const command_;
  Environment& env_;
  const absl::Duration wait_;
  // Set with the first question.
  absl::Time deadline_ = absl::InfiniteFuture();
  std::unique_ptr<engines::Containers> known_;
  // Not all engines were waited for.
  bool partly_known_ = false;
  // With those that do not run; null until one is looked for.
  std::unique_ptr<engines::Containers> known_stopped_;
};

// System::OpenRoot for any target: of a container its initial process's. Messages call files after
// `target`.
absl::StatusOr<TargetRoot> OpenContainerOrOther(const Target& target, const std::string& procfs,
                                                procfsroot::RootOptions options,
                                                ContainerTargets* containers, Environment& env);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINER_TARGET_H_
