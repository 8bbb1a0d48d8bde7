#include "cmd/source_options.h"

#include <fcntl.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "cmd/known_processes.h"
#include "cmd/scan_progress_line.h"
#include "cmd/snapshot_filter.h"
#include "cmd/usage.h"
#include "nsdisc/containers.h"
#include "nsdisc/discover.h"
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

void SourceOptions::AddCensusTo(CLI::App* app, std::string* census) {
  app->add_option("--census", *census,
                  "which lists of all namespaces are looked at: kernel (default), those that the "
                  "kernel gives out; bpf, also those in its memory, which have every type (needs "
                  "Linux 6.18, CAP_BPF and CAP_PERFMON)")
      ->type_name("CENSUS")
      ->take_last()
      ->group(kGroup);
}

std::vector<Choice> SourceOptions::CensusChoices() { return {{"kernel", ""}, {"bpf", ""}}; }

absl::StatusOr<bool> SourceOptions::WantsBpf(const std::string& census) {
  if (census == "bpf") return true;
  if (census.empty() || census == "kernel") return false;
  return UnknownWord("census", census, {"kernel", "bpf"});
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
  if (!from_.empty() && scope.leaves_out_sources()) {
    return UsageError("--without is for scans: what --from reads was looked at before");
  }
  ScanScope asked = scope;
  NSCTL_ASSIGN_OR_RETURN(asked.bpf_census, WantsBpf(census_));
  if (!from_.empty()) {
    NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot, ReadFrom(from_, env));
    AddUnrecorded(asked, snapshot.get());
    if (scope.threads.has_value()) KeepThreads(*scope.threads, snapshot.get());
    return snapshot;
  }

  nsdisc::DiscoverOptions scan = wanted;
  scan.threads = scope.threads.value_or(wanted.threads);
  scan.mounts = scope.mounts;
  if (scope.all_capability_sets) scan.capabilities = nsdisc::CapabilitySets::kAll;
  scan.descriptors_in_flight = scope.descriptors_in_flight;
  scan.fds = scope.fds;
  scan.sockets = scope.sockets;
  scan.bind_mounts = scope.bind_mounts;
  scan.kernel_lists = scope.kernel_lists;
  scan.bpf_census = asked.bpf_census;
  scan.names = scope.names;
  scan.ipc_counts = wanted.ipc_counts && scope.names;
  const AskFor what = scope.stopped_containers ? AskFor::kStopped : AskFor::kPresent;
  return Scan(procfs_, scan, scope.engines, what, env);
}

absl::StatusOr<std::unique_ptr<Snapshot>> SourceOptions::Scan(const std::string& directory,
                                                              const nsdisc::DiscoverOptions& wanted,
                                                              std::optional<absl::Duration> engines,
                                                              AskFor what, Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, env.system->OpenProcfs(directory));
  const nsdisc::UserNames users = nsdisc::ParsePasswd(env.system->ReadPasswd());
  nsdisc::DiscoverOptions options = wanted;
  options.users = &users;
  options.now = env.system->Now();
  // What the caller handed on is also open in the process that waits for this one (run_apart.h).
  options.own_fds = false;
  nsdisc::ScanProgress progress;
  options.progress = &progress;
  auto line = std::make_unique<ScanProgressLine>(progress, env.err, env.progress_width);
  const absl::Time deadline = absl::Now() + engines.value_or(absl::ZeroDuration());
  absl::StatusOr<std::unique_ptr<EngineInquiry>> inquiry = nullptr;
  if (engines.has_value()) {
    // They answer while the scan goes on.
    options.on_processes = [&](const nsdisc::ProcessReadings& read) {
      inquiry = env.system->AskEngines(procfs, what, KnownProcesses(read));
    };
  }
  NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot,
                         nsdisc::Discover(procfs, env.system->QuestionsFor(procfs), options));
  line.reset();
  NSCTL_RETURN_IF_ERROR(inquiry.status());
  if (snapshot->processes().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(procfs.path(), " shows no process: it is no procfs, or nothing may be seen"));
  }
  if (!directory.empty() && !procfs.is_kernel()) {
    AddRecordedTree(procfs.path(), snapshot.get());
  }
  if (*inquiry != nullptr)
    nsdisc::LinkContainers((*inquiry)->Await(deadline, nullptr), snapshot.get());
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
