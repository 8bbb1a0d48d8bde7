// From the options of `nsctl exec` to who its command runs as.

#ifndef NSCTL_CMD_EXEC_IDENTITY_H_
#define NSCTL_CMD_EXEC_IDENTITY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/exec_credentials.h"
#include "cmd/exec_options.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// Where users and groups are looked up: below the root that the command will have. Not opened until
// it is asked.
class InnerRoot {
 public:
  // `directory` is what the root will be changed to; holds nothing where it will not. Both outlive
  // this object.
  InnerRoot(const nsentry::EntryPlan& plan, const base::OwnedFd& directory)
      : plan_(plan), directory_(directory) {}

  // "passwd", "group". Read in a process of its own, as what is there may never answer. Errors:
  // those of AskApart, Root::ReadFile.
  absl::StatusOr<std::string> ReadAccounts(const char* file) const;

 private:
  absl::StatusOr<procfsroot::Root> Open() const;

  const nsentry::EntryPlan& plan_;
  const base::OwnedFd& directory_;
};

// `process` may be null. Errors: NOT_FOUND for a user or group that is not there;
// FAILED_PRECONDITION for ids of the target that the user namespace does not map; UsageError where
// a target is needed; those of reading.
absl::StatusOr<Credentials> ResolveCredentials(const ExecSettings& settings,
                                               const nsentry::EntryPlan& plan,
                                               const procfsroot::GuardedProcess* process,
                                               const InnerRoot& root);

// Why the step of ApplyCredentials failed with this error, for people: "needs CAP_SETUID in
// user:[4026531837]"; empty where there is no more to say. `process` may be null.
std::string CredentialHint(absl::string_view step, int error, const Credentials& credentials,
                           const nsentry::EntryPlan& plan,
                           const procfsroot::GuardedProcess* process,
                           const procfsroot::Procfs& procfs);

// The user namespace that the command runs in: "user:[4026531837]".
std::string InnerUserNamespace(const nsentry::EntryPlan& plan, const procfsroot::Procfs& procfs);

// The shell of who the command runs as; /bin/sh where there is none, or it cannot be found out.
std::string ShellOf(const Credentials& credentials, const InnerRoot& root);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_IDENTITY_H_
