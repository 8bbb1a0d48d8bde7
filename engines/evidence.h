// Containers that are known without asking any engine: by the helper processes that engines leave
// beside each, the names of cgroups, and the states that runtimes keep.
//
// The baseline where no engine answers, and the only way to containers that no service tells of
// (`podman run` without a service, `runc run`, LXC, nspawn).
//
// Users can start what looks like a helper, write states, and name the cgroups below their own.
// What they show is foreign (Container.foreign): it is believed of their own processes alone
// (engine_rights.h), adds nothing to what others show, and takes nobody's id.

#ifndef NSCTL_ENGINES_EVIDENCE_H_
#define NSCTL_ENGINES_EVIDENCE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/freezer.h"
#include "engines/inside_reader.h"
#include "engines/process_table.h"
#include "engines/runtime_folders.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

// The name of the annotation that says what a container is known by: "containerd-shim", "conmon",
// "lxc-monitor", "systemd-nspawn", "cgroup", "runc", "crun".
inline constexpr char kEvidenceAnnotation[] = "nsctl.evidence";

// The name of the annotation that says whose container it is, "nspawn", "lxc", "podman": where the
// helper process is the host's own, not a user's nor one in a container (engine_rights.h).
inline constexpr char kEngineAnnotation[] = "nsctl.evidence.engine";

struct EvidenceRow {
  // Of its container `engine_pid` is the observer's number of the initial process.
  EngineRow row;
  uint64_t start_time = 0;
  // The helper process that it is known by; 0 where there is none.
  base::Pid helper = {0};
};

// For one thread at a time.
class Evidence {
 public:
  // `procfs` and `table` must outlive this object. `root` is where /run and /sys/fs/cgroup of the
  // host are; without it neither states nor what is paused are known.
  Evidence(const procfsroot::Procfs& procfs, ProcessTable* table,
           std::optional<procfsroot::Root> root);

  struct Result {
    // By native namespace and id, each of which there is once.
    std::vector<EvidenceRow> rows;
    std::vector<EngineGap> gaps;
  };
  // Leaves out containers whose initial processes (PID and start time) `is_known` knows. Of
  // processes what the table knew `max_age` ago is good enough. Errors: where the list of processes
  // cannot be read.
  absl::StatusOr<Result> Scan(absl::Duration max_age,
                              absl::FunctionRef<bool(base::Pid, uint64_t)> is_known);

 private:
  using Processes = ProcessTable::Rows;
  // Of one scan. By initial process.
  using Rows = std::map<base::Pid, EvidenceRow>;

  static void AddHelped(const Processes& processes, Rows* rows);
  void AddByCgroup(const Processes& processes, Rows* rows) const;
  void AddByState(const Processes& processes, Rows* rows, std::vector<EngineGap>* gaps);
  EvidenceRow* RowForState(base::Pid init, uid_t owner, const std::string& runtime,
                           Rows* rows) const;
  bool MaySpeakOf(base::Pid pid, uid_t uid) const;
  void SetTeller(EvidenceRow* evidence) const;
  bool IsAbove(base::Pid init, const EvidenceRow& evidence) const;
  void Complete(const ProcessTable::Row& init, EngineRow* row) const;
  static void SetEngine(const ProcessTable::Row& helper, Container* container);

  // Sorts `order` by age, the host's own before all others. Those that each container has too many
  // of are taken away.
  void Limit(const Processes& processes, const Rows& rows, std::vector<base::Pid>* order,
             std::vector<EngineGap>* gaps);

  InsideReader inside_;
  ProcessTable* table_;
  // Absent where it cannot be reached.
  std::optional<procfsroot::Root> root_;
  Freezer freezer_;
  std::optional<RuntimeFolders> folders_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_EVIDENCE_H_
