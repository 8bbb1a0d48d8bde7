// Finds the processes that are engines: by what they are called and what sockets they hold, in
// whatever namespaces they are; never by where engines usually listen.
//
// A process may call itself as it likes, so what is found here is a suspicion: how many are
// followed is limited, none is asked anything here, and engine_door.h checks who answers. LXC has
// no daemon: what is found of it are the monitors of its containers (engines/lxc/).

#ifndef NSCTL_ENGINES_ENGINE_FINDER_H_
#define NSCTL_ENGINES_ENGINE_FINDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/engine_types.h"
#include "engines/inside_reader.h"
#include "engines/process_scan.h"
#include "engines/process_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

struct FinderOptions {
  // Empty: all.
  std::vector<Engine::Type> types = {};
  // Engines of the host at a time: those in the caller's PID and mount namespaces.
  size_t max_engines = 64;
  // All others, so that no container takes a place of the host's; and of these, those of one
  // container: of a PID namespace right below the caller's and all below it, or of another mount
  // namespace.
  size_t max_engines_inside = 64;
  size_t max_engines_beside = 8;
};

struct FoundEngine {
  ScannedProcess process;
  // As InsideReader has it.
  uint64_t inside = 0;
  // What it may be; never empty.
  std::vector<const EngineKind*> kinds;
  // The socket that it is likely to answer at, as it has it; bytes. Empty where none has a path.
  std::string socket = "";
};

// A process that calls itself the monitor of a container of LXC's.
struct FoundMonitor {
  ScannedProcess process;
  // The folder of the container, and its name; bytes.
  std::string path;
  std::string name;
};

// For one thread at a time.
class EngineFinder {
 public:
  // `procfs` must outlive the finder.
  EngineFinder(const procfsroot::Procfs& procfs, FinderOptions options)
      : procfs_(procfs), options_(std::move(options)), inside_(procfs) {}

  struct Result {
    // Those that were not found before, in the order of their start.
    std::vector<FoundEngine> engines;
    // All that there are, by PID.
    std::vector<FoundMonitor> monitors;
    // All that holds now, those of earlier looks too.
    std::vector<EngineGap> gaps;
  };
  // Among all processes of the host.
  Result Look(const ProcessTable::Rows& processes) { return Look(processes, /*soon=*/false); }

  // Between two looks: those that were looked at are not looked at again. Without gaps.
  Result LookSoon(const ProcessTable::Rows& processes) { return Look(processes, /*soon=*/true); }

 private:
  struct Seen {
    uint64_t start_time = 0;
    // It was found, and counts among those of its container.
    bool found = false;
    uint64_t inside = 0;
    // Inode numbers of those that it listened at when it was found.
    std::vector<uint64_t> sockets = {};
    // What it looks like, and why it is not followed; empty where that is no matter.
    std::string program = "";
    std::string error = "";
    // It has more sockets than were looked at.
    bool cut = false;
  };

  Result Look(const ProcessTable::Rows& processes, bool soon);

  // Adds it to `candidates` where it may be an engine.
  void LookAt(const ProcessTable::Row& row, bool soon, std::vector<FoundEngine>* candidates);
  // Takes of `candidates` those that hold sockets, as far as the limits go.
  void Choose(std::vector<FoundEngine> candidates, Result* result);
  // Whether it listens at a socket that is not in `taken`, which its own are added to; if not, why
  // not is in `seen`. Sets the candidate's socket.
  bool Listens(std::set<uint64_t>* taken, FoundEngine* candidate, Seen* seen) const;
  void CollectGaps(std::vector<EngineGap>* gaps) const;
  bool IsWanted(Engine::Type type) const;

  const procfsroot::Procfs& procfs_;
  const FinderOptions options_;
  InsideReader inside_;
  // Those that look like engines.
  std::map<base::Pid, Seen> seen_;
  // PIDs of the last look that were one too many, by what they are in.
  std::map<uint64_t, std::vector<base::Pid>> refused_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_FINDER_H_
