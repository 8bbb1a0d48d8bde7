#include "cmd/target_scan.h"

#include <string>
#include <variant>

#include "absl/status/status.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "cmd/container_search.h"
#include "cmd/namespace_at_path.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

absl::StatusOr<NamespaceTarget> IdentifyFile(const std::string& path) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd fd, OpenNamespaceAtPath(path));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceType type, base::NamespaceTypeOf(fd));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  return NamespaceTarget{type, id.inode};
}

}  // namespace

absl::StatusOr<TargetScan> ScanForTarget(const Target& target, const SourceOptions& source,
                                         const ScanScope& scope, nsdisc::ProcessDetail detail,
                                         Environment& env) {
  TargetScan scan{.target = target, .snapshot = nullptr};
  if (const PathTarget* path = std::get_if<PathTarget>(&target); path != nullptr) {
    bool is_live = false;
    if (!source.is_file()) {
      NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs,
                             env.system->OpenProcfs(source.procfs()));
      is_live = procfs.is_live();
    }
    if (!is_live) {
      return absl::FailedPreconditionError("a path means a namespace on the running host alone");
    }
    NSCTL_ASSIGN_OR_RETURN(scan.target, IdentifyFile(path->path));
  }
  nsdisc::DiscoverOptions wanted;
  wanted.detail = detail;
  if (detail == nsdisc::ProcessDetail::kAll) {
    wanted.capabilities = nsdisc::CapabilitySets::kEffective;
    wanted.ipc_counts = true;
  }
  ScanScope all = scope;
  all.stopped_containers = IsContainer(target);
  all.descriptors_in_flight = true;
  NSCTL_ASSIGN_OR_RETURN(scan.snapshot, source.Acquire(all, wanted, env));
  return scan;
}

}  // namespace nsctl::cmd
