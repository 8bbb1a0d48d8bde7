#include "cmd/exec_dry_run.h"

#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/capabilities.h"
#include "cmd/exec_run.h"
#include "cmd/usage.h"
#include "nsentry/entry_message.h"

namespace nsctl::cmd {
namespace {

void DescribeCredentials(const Credentials& credentials, ExecResult* result) {
  if (credentials.uid.has_value()) result->set_uid(*credentials.uid);
  if (credentials.gid.has_value()) result->set_gid(*credentials.gid);
  ExecSurroundings* const message = result->mutable_surroundings();
  if (credentials.groups.has_value()) {
    message->set_sets_groups(true);
    for (const gid_t group : *credentials.groups) message->add_groups(group);
  }
  if (credentials.capabilities.has_value()) {
    message->set_sets_capabilities(true);
    for (std::string& name : CapabilityNames(credentials.capabilities->permitted)) {
      message->add_capabilities(std::move(name));
    }
  }
  message->set_keeps_capabilities(credentials.keep_capabilities);
  message->set_no_new_privileges(credentials.no_new_privileges);
}

ExecSurroundings Describe(const ExecSettings& settings, const ExecChildSpec& spec) {
  ExecSurroundings message;
  message.set_root(base::EncodeText(settings.root));
  message.set_directory(base::EncodeText(settings.directory));
  message.set_inner_directory(base::EncodeText(spec.inner_directory));
  for (const base::OwnedFd& file : spec.cgroups) {
    message.add_cgroups(base::EncodeText(absl::StripSuffix(file.path(), "/cgroup.procs")));
  }
  message.set_environment(settings.target_environment  ? "target"
                          : settings.clear_environment ? "empty"
                                                       : "caller");
  for (const std::string& variable : settings.variables) {
    message.add_variables(base::EncodeText(variable));
  }
  message.set_security_context(base::EncodeText(spec.security_context));
  message.set_no_fork(settings.no_fork);
  return message;
}

}  // namespace

absl::StatusOr<ExecResult> DryRunExec(const ExecScene& scene, const std::string& target) {
  NSCTL_ASSIGN_OR_RETURN(PreparedExec prepared, PlanExec(scene, target));
  ExecResult result = BeginResult(scene.settings, target);
  *result.mutable_plan() = nsentry::ToMessage(*prepared.plan);
  const absl::Status status = CompleteExec(scene, &prepared);
  if (IsUsageError(status)) return status;
  *result.mutable_surroundings() = Describe(scene.settings, prepared.spec);
  DescribeCredentials(prepared.spec.credentials, &result);
  TellCommand(prepared.spec, &result);
  result.set_error(std::string(status.message()));
  return result;
}

}  // namespace nsctl::cmd
