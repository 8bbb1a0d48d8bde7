#include "cmd/target_scan.h"

#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/container_options.h"
#include "cmd/container_search.h"
#include "nsentry/namespace_reference.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

using procfsroot::BoundedCaller;

// A server that does not answer within it is given up.
constexpr absl::Duration kPathTimeout = absl::Seconds(5);

absl::StatusOr<NamespaceTarget> IdentifyFile(const std::string& path) {
  BoundedCaller caller;
  return caller.Run<NamespaceTarget>(
      absl::StrCat("open ", base::TerminalText(base::EncodeText(path))), kPathTimeout,
      [path](const procfsroot::DeviceGate&) -> absl::StatusOr<NamespaceTarget> {
        NSCTL_ASSIGN_OR_RETURN(const nsentry::NamespaceReference found,
                               nsentry::OpenNamespaceAt(path));
        return NamespaceTarget{found.type, found.id.inode};
      });
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
  ScanScope whole = scope;
  if (IsContainer(target) && !whole.engines.has_value()) whole.engines = kEnginePatience;
  NSCTL_ASSIGN_OR_RETURN(scan.snapshot,
                         source.Acquire(whole, nsdisc::ScanOptions::loose, detail, env));
  return scan;
}

}  // namespace nsctl::cmd
