#include "engines/engine_activation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/engine_types.h"
#include "engines/listening_sockets.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(2);
constexpr absl::Duration kStep = absl::Milliseconds(20);
// Sockets that are connected to in one call; a process may call itself as it likes.
constexpr size_t kMaxConnected = 16;

bool IsActivator(const std::string& name) {
  // systemd-socket-activate(1), cut.
  return name == "systemd" || name == "systemd-socket-";
}

}  // namespace

std::map<uint64_t, EngineActivation::Waiting> EngineActivation::Find() const {
  std::map<uint64_t, Waiting> waiting;
  std::set<uint64_t> served;
  const absl::StatusOr<std::vector<base::Pid>> pids = procfs_.ListProcesses();
  if (!pids.ok()) return waiting;
  for (const base::Pid pid : *pids) {
    const absl::StatusOr<ScannedProcess> process = ScanProcess(procfs_, pid);
    if (!process.ok()) continue;
    const bool is_activator = IsActivator(process->name);
    if (!is_activator && KindsOfProgram(kinds_, process->name, "").empty()) continue;
    const absl::StatusOr<ListeningSockets> sockets = ReadListeningSockets(procfs_, pid);
    if (!sockets.ok()) continue;
    for (const ListeningSocket& socket : sockets->sockets) {
      if (!is_activator) served.insert(socket.inode);
      for (const EngineKind& kind : kinds_) {
        const bool wanted =
            types_.empty() || std::find(types_.begin(), types_.end(), kind.type) != types_.end();
        if (!is_activator || !wanted || !kind.activated ||
            !absl::EndsWith(socket.path, absl::StrCat("/", kind.socket))) {
          continue;
        }
        waiting[socket.inode] = {.pid = pid, .path = socket.path, .kind = &kind};
      }
    }
  }
  for (const uint64_t inode : served) waiting.erase(inode);
  return waiting;
}

absl::Status EngineActivation::Connect(const Waiting& waiting) {
  NSCTL_ASSIGN_OR_RETURN(
      const procfsroot::Root root,
      procfsroot::Root::OfProcess(procfs_, waiting.pid, {}, {.timeout = kTimeout}));
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd connection, root.ConnectUnix(waiting.path));
  connections_.push_back(std::move(connection));
  return absl::OkStatus();
}

void EngineActivation::Activate(std::vector<EngineGap>* gaps) {
  std::set<uint64_t> awaited;
  for (const auto& [inode, waiting] : Find()) {
    if (awaited.size() == kMaxConnected || !tried_.insert(inode).second) continue;
    const absl::Status connected = Connect(waiting);
    if (connected.ok()) {
      awaited.insert(inode);
      continue;
    }
    EngineGap& gap = gaps->emplace_back();
    gap.set_subject(base::EncodeText(waiting.path));
    gap.set_operation("start the engine");
    gap.set_error(base::ErrnoOf(connected) != 0 ? base::ErrnoName(base::ErrnoOf(connected))
                                                : absl::StatusCodeToString(connected.code()));
    gap.set_consequence("its containers are not known");
  }
  const absl::Time deadline = absl::Now() + kTimeout;
  while (!awaited.empty() && absl::Now() < deadline) {
    absl::SleepFor(kStep);
    const std::map<uint64_t, Waiting> waiting = Find();
    std::erase_if(awaited, [&waiting](uint64_t inode) { return !waiting.contains(inode); });
  }
}

}  // namespace nsctl::engines
