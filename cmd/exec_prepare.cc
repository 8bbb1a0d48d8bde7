#include "cmd/exec_prepare.h"

#include <fcntl.h>
#include <sys/vfs.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "cmd/ask_apart.h"
#include "cmd/exec_cgroups.h"
#include "cmd/exec_environment.h"
#include "cmd/exec_gons.h"
#include "cmd/exec_identity.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using procfsroot::GuardedProcess;

constexpr size_t kMaxEnvironment = 8 << 20;
constexpr size_t kMaxContext = 4096;
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr char kSelinuxFileSystem[] = "/sys/fs/selinux";
// linux/magic.h
constexpr long kSelinuxMagic = 0xf97cff8c;

absl::StatusOr<const GuardedProcess*> NeedProcess(const PreparedExec& prepared,
                                                  absl::string_view what) {
  if (prepared.target.process != nullptr) return prepared.target.process.get();
  return UsageError(absl::StrCat(what, " needs a TARGET that is a process"));
}

// The directory that `value` of -r or -w says: `entry` of the target, or a path of the caller's.
absl::StatusOr<base::OwnedFd> OpenDirectory(const PreparedExec& prepared, const std::string& value,
                                            const char* option, const char* entry) {
  if (value.empty()) return base::OwnedFd();
  constexpr int kFlags = O_PATH | O_DIRECTORY;
  if (value != kOfTarget) return base::OpenAt(base::FdRef(AT_FDCWD), value, kFlags);
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess* process, NeedProcess(prepared, option));
  return base::OpenAt(process->directory().fd(), entry, kFlags);
}

absl::Status TakeSurroundings(const ExecScene& scene, PreparedExec* prepared) {
  const ExecSettings& settings = scene.settings;
  NSCTL_ASSIGN_OR_RETURN(prepared->spec.root,
                         OpenDirectory(*prepared, settings.root, "--root", "root"));
  NSCTL_ASSIGN_OR_RETURN(prepared->spec.directory,
                         OpenDirectory(*prepared, settings.directory, "--wd", "cwd"));
  prepared->spec.inner_directory = settings.inner_directory;
  if (!settings.join_cgroup) return absl::OkStatus();
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess* process, NeedProcess(*prepared, "--join-cgroup"));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, scene.procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(prepared->spec.cgroups, OpenCgroupsOf(process->directory(), self));
  return absl::OkStatus();
}

// Its pages may be a file of a file system that never answers.
absl::StatusOr<std::string> ReadEnvironment(const GuardedProcess& process) {
  const base::FdRef needed[] = {process.directory().fd()};
  return AskApart(absl::StrCat("read the environment of process ", process.pid().value), kPatience,
                  needed, [&] { return process.directory().Read("environ", kMaxEnvironment); });
}

absl::Status TakeEnvironment(const ExecScene& scene, PreparedExec* prepared) {
  std::vector<std::string> base;
  if (scene.settings.target_environment) {
    NSCTL_ASSIGN_OR_RETURN(const GuardedProcess* process, NeedProcess(*prepared, "--target-env"));
    NSCTL_ASSIGN_OR_RETURN(const std::string text, ReadEnvironment(*process));
    base = ParseEnvironment(text);
  } else if (!scene.settings.clear_environment) {
    base = scene.environment;
  }
  prepared->spec.environment = WithVariables(std::move(base), scene.settings.variables);
  return absl::OkStatus();
}

bool HasSelinux() {
  struct statfs status;
  return statfs(kSelinuxFileSystem, &status) == 0 &&
         static_cast<uint32_t>(status.f_type) == static_cast<uint32_t>(kSelinuxMagic);
}

// Nothing where the host has neither, as in nsenter.
absl::Status TakeContext(PreparedExec* prepared) {
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess* process, NeedProcess(*prepared, "--follow-context"));
  if (HasSelinux()) {
    NSCTL_ASSIGN_OR_RETURN(prepared->spec.security_context,
                           process->directory().Read("attr/current", kMaxContext));
    prepared->spec.security_file = "exec";
    return absl::OkStatus();
  }
  const absl::StatusOr<std::string> profile =
      process->directory().Read("attr/apparmor/current", kMaxContext);
  if (!profile.ok()) return absl::OkStatus();
  // "docker-default (enforce)\n"
  const std::string name = profile->substr(0, profile->find_first_of(" \n"));
  if (name.empty() || name == "unconfined") return absl::OkStatus();
  prepared->spec.security_file = "apparmor/exec";
  prepared->spec.security_context = absl::StrCat("exec ", name);
  return absl::OkStatus();
}

void TakeCommand(const ExecScene& scene, const InnerRoot& root, PreparedExec* prepared) {
  ExecChildSpec& spec = prepared->spec;
  if (!scene.settings.command.empty()) {
    spec.command = scene.settings.command;
    return;
  }
  spec.command = {ShellOf(spec.credentials, root)};
  spec.fallback = "/bin/sh";
  // As nsenter starts it.
  spec.login_shell = true;
}

}  // namespace

absl::StatusOr<PreparedExec> PlanExec(const ExecScene& scene, const std::string& target) {
  PreparedExec prepared;
  if (scene.settings.gons_env) {
    NSCTL_ASSIGN_OR_RETURN(prepared.target.request,
                           OpenGonsSteps(ParseGonsEnvironment(scene.environment)));
  } else {
    NSCTL_ASSIGN_OR_RETURN(
        prepared.target,
        ResolveExecTarget(scene.settings, target, scene.containers, scene.procfs, scene.questions));
  }
  NSCTL_ASSIGN_OR_RETURN(
      nsentry::EntryPlan plan,
      nsentry::EntryPlan::Make(scene.procfs, std::move(prepared.target.request)));
  prepared.plan = std::make_unique<nsentry::EntryPlan>(std::move(plan));
  return prepared;
}

absl::Status CompleteExec(const ExecScene& scene, PreparedExec* prepared) {
  NSCTL_RETURN_IF_ERROR(prepared->plan->Check());
  NSCTL_RETURN_IF_ERROR(TakeSurroundings(scene, prepared));
  NSCTL_RETURN_IF_ERROR(TakeEnvironment(scene, prepared));
  if (scene.settings.follow_context) NSCTL_RETURN_IF_ERROR(TakeContext(prepared));
  const InnerRoot root(*prepared->plan, prepared->spec.root);
  NSCTL_ASSIGN_OR_RETURN(
      prepared->spec.credentials,
      ResolveCredentials(scene.settings, *prepared->plan, prepared->target.process.get(), root));
  TakeCommand(scene, root, prepared);
  return absl::OkStatus();
}

absl::Status ExecEntryStatus(const ExecSettings& settings, const nsentry::EntryPlan& plan,
                             const nsentry::EntryResult& result) {
  return settings.gons_env ? GonsFailure(plan, result) : EntryStatus(plan, result);
}

}  // namespace nsctl::cmd
