#include "cmd/live_system.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/feature_probe.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/engine_inquiry.h"
#include "engines/process_table.h"
#include "nsdisc/bpf_census.h"

namespace nsctl::cmd {
namespace {

using procfsroot::ProcessDir;
using procfsroot::Procfs;

constexpr size_t kMaxPasswd = 16 << 20;

// Tried as --census=bpf would use it.
base::Feature ProbeBpfCensus() {
  base::Feature feature;
  feature.name = "BPF census";
  feature.since = "6.18";
  const absl::Status status = nsdisc::KernelBpfCensus().List().status();
  if (status.ok()) {
    feature.state = base::FeatureState::kAvailable;
    return feature;
  }
  const nsdisc::CensusFailure failure = nsdisc::DescribeFailure(status);
  feature.error = failure.error;
  feature.state = base::FeatureStateFromErrno(failure.error);
  feature.consequence = absl::StrCat("--census=bpf adds nothing (", failure.operation, ")");
  return feature;
}

}  // namespace

absl::StatusOr<Procfs> LiveSystem::OpenProcfs(const std::string& directory) {
  NSCTL_ASSIGN_OR_RETURN(Procfs procfs, directory.empty() ? Procfs::Live() : Procfs::At(directory));
  if (held_.empty() || !procfs.is_kernel()) return procfs;
  std::vector<base::Pid> pids;
  for (const HeldProcess& held : held_) {
    struct stat shown = {}, seen = {};
    // The same procfs, by whatever name.
    if (fstat(procfs.fd().get(), &shown) == 0 && stat(held.procfs.c_str(), &seen) == 0 &&
        shown.st_dev == seen.st_dev) {
      pids.push_back({held.pid});
    }
  }
  procfs.LeaveOut(std::move(pids));
  return procfs;
}

void LiveSystem::LeaveOutHeld(const std::vector<base::Pid>& pids) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  if (!procfs.ok()) return;
  held_.merge(pids.empty() ? FindHeldProcesses(procfs->path())
                           : FindHeldAmong(pids, procfs->path()));
}

std::string LiveSystem::ReadPasswd() {
  // Names are a convenience: without them uids are shown.
  return base::ReadFileAt(base::FdRef(AT_FDCWD), "/etc/passwd", kMaxPasswd).value_or("");
}

absl::StatusOr<TargetRoot> LiveSystem::OpenRoot(const Target& target, const std::string& procfs,
                                                const procfsroot::RootOptions& options) {
  NSCTL_ASSIGN_OR_RETURN(const Procfs opened, OpenProcfs(procfs));
  return OpenTargetRoot(target, opened, options);
}

absl::StatusOr<std::unique_ptr<EngineInquiry>> LiveSystem::AskEngines(
    const Procfs& procfs, AskFor what, std::vector<engines::KnownProcess> processes) {
  if (!procfs.is_live()) return nullptr;
  return AskRunningEngines(procfs, what, std::move(processes));
}

std::optional<uint32_t> LiveSystem::Securebits() {
  const int bits = prctl(PR_GET_SECUREBITS);
  if (bits < 0) return std::nullopt;
  return static_cast<uint32_t>(bits);
}

std::vector<base::Feature> LiveSystem::ProbeFeatures() {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  if (!procfs.ok()) return {};
  const absl::StatusOr<ProcessDir> self = procfs->OpenSelf();
  if (!self.ok()) return {};
  const absl::StatusOr<base::OwnedFd> ns = base::OpenAt(self->fd(), "ns", O_RDONLY | O_DIRECTORY);
  if (!ns.ok()) return {};
  std::vector<base::Feature> features = base::ProbeFeatures(*ns);
  features.push_back(ProbeBpfCensus());
  return features;
}

}  // namespace nsctl::cmd
