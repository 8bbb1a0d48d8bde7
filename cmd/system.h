// The host as commands see it. The real one is LiveSystem; tests put a recorded host in its place.

#ifndef NSCTL_CMD_SYSTEM_H_
#define NSCTL_CMD_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/feature_probe.h"
#include "base/namespace_type.h"
#include "cmd/target.h"
#include "cmd/target_root.h"
#include "engines/process_table.h"
#include "nsdisc/questions.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// See engine_inquiry.h.
class EngineInquiry;
enum class AskFor;

class System {
 public:
  virtual ~System() = default;

  // The procfs in `directory`, or the live one where that is empty.
  virtual absl::StatusOr<procfsroot::Procfs> OpenProcfs(const std::string& directory) = 0;

  // Looks whether processes cannot be read (held_processes.h), all or just `pids`; those are left
  // out by all that is opened afterwards.
  virtual void LeaveOutHeld(const std::vector<base::Pid>& pids) = 0;

  // What answers for the namespaces of that procfs.
  virtual nsdisc::Questions QuestionsFor(const procfsroot::Procfs& procfs) = 0;

  // The text of the host's passwd file; empty where it cannot be read.
  virtual std::string ReadPasswd() = 0;

  virtual absl::Time Now() = 0;

  // As OpenTargetRoot (target_root.h), processes being those of OpenProcfs(`procfs`).
  virtual absl::StatusOr<TargetRoot> OpenRoot(const Target& target, const std::string& procfs,
                                              const procfsroot::RootOptions& options) = 0;

  // Looks for container engines and begins to ask them: among `processes` where the caller has just
  // read them; empty: they are read. nullptr where `procfs` is not that of the running host.
  // Borrows `procfs`.
  virtual absl::StatusOr<std::unique_ptr<EngineInquiry>> AskEngines(
      const procfsroot::Procfs& procfs, AskFor what,
      std::vector<engines::KnownProcess> processes) = 0;

  // This program's own securebits (prctl(2), PR_GET_SECUREBITS); nullopt where they are not told.
  virtual std::optional<uint32_t> Securebits() = 0;

  // What base::ProbeFeatures finds; empty where nothing can be tried.
  virtual std::vector<base::Feature> ProbeFeatures() = 0;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SYSTEM_H_
