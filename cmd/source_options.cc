#include "cmd/source_options.h"

#include <fcntl.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "cmd/engine_inquiry.h"
#include "cmd/snapshot_filter.h"
#include "cmd/usage.h"
#include "nsdisc/containers.h"
#include "nsdisc/snapshot_io.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Snapshot;

constexpr char kGroup[] = "Source";

}  // namespace

void SourceOptions::AddTo(CLI::App* app) {
  app->add_option("--from", from_,
                  "read a snapshot that \"nsctl snapshot\" wrote, in any of its formats but lxkns; "
                  "\"-\" is the standard input")
      ->type_name("FILE")
      ->take_last()
      ->group(kGroup);
  app->add_option("--procfs", procfs_, "scan the procfs that is mounted at DIR")
      ->type_name("DIR")
      ->take_last()
      ->group(kGroup);
}

absl::StatusOr<std::unique_ptr<Snapshot>> SourceOptions::Acquire(
    const ScanScope& scope, nsdisc::ScanOptions::Threads default_threads,
    nsdisc::ProcessDetail detail, Environment& env) const {
  nsdisc::DiscoverOptions wanted;
  wanted.threads = default_threads;
  wanted.detail = detail;
  return Acquire(scope, wanted, env);
}

absl::StatusOr<std::unique_ptr<Snapshot>> SourceOptions::Acquire(
    const ScanScope& scope, const nsdisc::DiscoverOptions& wanted, Environment& env) const {
  if (!from_.empty() && !procfs_.empty()) {
    return UsageError("--from and --procfs exclude each other");
  }
  if (!from_.empty()) {
    NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot, ReadFrom(from_, env));
    AddUnrecorded(scope, snapshot.get());
    if (scope.threads.has_value()) KeepThreads(*scope.threads, snapshot.get());
    return snapshot;
  }

  nsdisc::DiscoverOptions scan = wanted;
  scan.threads = scope.threads.value_or(wanted.threads);
  scan.mounts = scope.mounts;
  scan.fds = scope.fds;
  scan.sockets = scope.sockets;
  scan.bind_mounts = scope.bind_mounts;
  scan.kernel_lists = scope.kernel_lists;
  scan.names = scope.names;
  return Scan(procfs_, scan, scope.engines, env);
}

absl::StatusOr<std::unique_ptr<Snapshot>> SourceOptions::Scan(const std::string& directory,
                                                              const nsdisc::DiscoverOptions& wanted,
                                                              std::optional<absl::Duration> engines,
                                                              Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, env.system->OpenProcfs(directory));
  const nsdisc::UserNames users = nsdisc::ParsePasswd(env.system->ReadPasswd());
  nsdisc::DiscoverOptions options = wanted;
  options.users = &users;
  options.now = env.system->Now();
  const absl::Time deadline = absl::Now() + engines.value_or(absl::ZeroDuration());
  std::unique_ptr<EngineInquiry> inquiry;
  if (engines.has_value()) {
    NSCTL_ASSIGN_OR_RETURN(inquiry, env.system->AskEngines(procfs, AskFor::kPresent));
  }
  NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot,
                         nsdisc::Discover(procfs, env.system->QuestionsFor(procfs), options));
  if (snapshot->processes().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(procfs.path(), " shows no process: it is no procfs, or nothing may be seen"));
  }
  if (inquiry != nullptr) nsdisc::LinkContainers(inquiry->Await(deadline), snapshot.get());
  return snapshot;
}

absl::StatusOr<std::unique_ptr<Snapshot>> SourceOptions::ReadFrom(const std::string& name,
                                                                  Environment& env) {
  if (name == "-") return nsdisc::ReadSnapshot(env.in);
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd file,
                         base::OpenAt(base::FdRef(AT_FDCWD), name, O_RDONLY | O_NOCTTY));
  return nsdisc::ReadSnapshot(file);
}

}  // namespace nsctl::cmd
