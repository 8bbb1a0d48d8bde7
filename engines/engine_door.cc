#include "engines/engine_door.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/engine_link.h"
#include "engines/engine_types.h"
#include "engines/listening_sockets.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

// An engine has a few sockets; more are a trap.
constexpr size_t kMaxCandidates = 16;
constexpr absl::Duration kRootTimeout = absl::Seconds(2);
// What one socket may take where others wait.
constexpr absl::Duration kShareOfOne = absl::Seconds(1);

bool IsUsual(const ListeningSocket& socket, const EngineKind& kind) {
  return absl::EndsWith(socket.path, absl::StrCat("/", kind.socket));
}

// Whether `peer`, who listens, is the engine's process or shares the socket with it.
absl::Status CheckPeer(const procfsroot::Procfs& procfs, const ContainerProcess& process,
                       uint64_t socket, const SocketPeer& peer) {
  if (process.Ended()) return base::ErrnoStatus(ESRCH, "find the engine's process");
  if (peer.pid.value == process.pid()) return absl::OkStatus();
  if (peer.pid.value > 0) {
    const absl::StatusOr<std::set<uint64_t>> held = ReadSocketInodes(procfs, peer.pid);
    if (held.ok() && held->contains(socket)) return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat("process ", peer.pid.value, " answers there, and not the engine"));
}

}  // namespace

EngineDoor::EngineDoor(const procfsroot::Procfs& procfs,
                       std::shared_ptr<const ContainerProcess> process,
                       std::vector<const EngineKind*> kinds, absl::Span<const EngineKind> all_kinds)
    : procfs_(procfs),
      process_(std::move(process)),
      kinds_(std::move(kinds)),
      all_kinds_(all_kinds) {}

absl::StatusOr<std::vector<EngineDoor::Candidate>> EngineDoor::FindCandidates() const {
  NSCTL_ASSIGN_OR_RETURN(ListeningSockets found,
                         ReadListeningSockets(procfs_, base::Pid{process_->pid()}));
  std::vector<Candidate> candidates;
  for (const EngineKind* kind : kinds_) {
    for (const ListeningSocket& socket : found.sockets) {
      // Where a relative path leads only the process knows. ttrpc is containerd's protocol for its
      // helpers, and answers nothing else.
      if (!absl::StartsWith(socket.path, "/") || absl::EndsWith(socket.path, ".ttrpc")) continue;
      candidates.push_back({.socket = socket, .kind = kind});
    }
  }
  std::stable_partition(candidates.begin(), candidates.end(), [](const Candidate& candidate) {
    return IsUsual(candidate.socket, *candidate.kind);
  });
  if (candidates.size() > kMaxCandidates) candidates.resize(kMaxCandidates);
  return candidates;
}

EngineDoor::Client EngineDoor::MakeClient(const procfsroot::Root& root,
                                          const Candidate& candidate) const {
  Connector connect = [&procfs = procfs_, process = process_, root,
                       socket = candidate.socket]() -> absl::StatusOr<base::OwnedFd> {
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd connection, root.ConnectUnix(socket.path));
    NSCTL_ASSIGN_OR_RETURN(const SocketPeer peer, PeerOf(connection));
    NSCTL_RETURN_IF_ERROR(CheckPeer(procfs, *process, socket.inode, peer));
    return connection;
  };
  const EngineKind& kind = *candidate.kind;
  if (kind.make_client_at == nullptr) return kind.make_client(std::move(connect));
  return kind.make_client_at(std::move(connect), procfs_, base::Pid{process_->pid()}, root);
}

absl::StatusOr<Engine> EngineDoor::Try(const procfsroot::Root& root, const Candidate& candidate,
                                       const CallLimits& limits) {
  Client client = MakeClient(root, candidate);
  NSCTL_ASSIGN_OR_RETURN(Engine engine, client->Identify(limits));
  if (engine.type() == Engine::unspecified) engine.set_type(candidate.kind->type);
  if (engine.type() != candidate.kind->type) {
    const auto* const other =
        std::find_if(all_kinds_.begin(), all_kinds_.end(),
                     [&engine](const EngineKind& kind) { return kind.type == engine.type(); });
    if (other == all_kinds_.end()) return absl::UnimplementedError("answers as another engine");
    client = MakeClient(root, {.socket = candidate.socket, .kind = other});
    NSCTL_ASSIGN_OR_RETURN(engine, client->Identify(limits));
    engine.set_type(other->type);
  }
  if (engine.api().empty()) engine.set_api(base::EncodeText(candidate.socket.path));
  const absl::MutexLock lock(&mutex_);
  chosen_ = std::move(client);
  return engine;
}

absl::StatusOr<Engine> EngineDoor::Identify(const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, FindCandidates());
  if (candidates.empty()) return absl::UnavailableError("listens at no unix socket with a path");
  const int32_t pid = process_->pid();
  NSCTL_ASSIGN_OR_RETURN(
      const procfsroot::Root root,
      procfsroot::Root::OfProcess(procfs_, base::Pid{pid}, process_->pidfd_inode(),
                                  {.timeout = kRootTimeout, .name = absl::StrCat(pid, ":")}));
  std::string first_failure;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const absl::Duration left = limits.deadline - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    CallLimits share = limits;
    share.deadline = std::min(
        limits.deadline,
        absl::Now() + std::max(kShareOfOne, left / static_cast<double>(candidates.size() - i)));
    absl::StatusOr<Engine> engine = Try(root, candidates[i], share);
    if (engine.ok() || absl::IsCancelled(engine.status())) return engine;
    if (first_failure.empty()) {
      first_failure = absl::StrCat(base::EncodeText(candidates[i].socket.path), ": ",
                                   engine.status().message());
    }
  }
  return absl::UnavailableError(
      absl::StrCat("no answer at ", candidates.size(),
                   candidates.size() == 1 ? " socket: " : " sockets: ", first_failure));
}

absl::StatusOr<EngineDoor::Client> EngineDoor::Chosen() const {
  const absl::MutexLock lock(&mutex_);
  if (chosen_ == nullptr) return absl::FailedPreconditionError("no socket answered yet");
  return chosen_;
}

absl::Status EngineDoor::Ping(const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const Client client, Chosen());
  return client->Ping(limits);
}

absl::Status EngineDoor::Watch(absl::Time since, const CallLimits& limits,
                               absl::FunctionRef<void()> subscribed,
                               absl::FunctionRef<void(const EngineEvent&)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const Client client, Chosen());
  return client->Watch(since, limits, subscribed, sink);
}

absl::Status EngineDoor::List(const CallLimits& limits,
                              absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const Client client, Chosen());
  return client->List(limits, sink);
}

absl::Status EngineDoor::ListStopped(const CallLimits& limits,
                                     absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const Client client, Chosen());
  return client->ListStopped(limits, sink);
}

absl::StatusOr<EngineRow> EngineDoor::Inspect(const ContainerId& container,
                                              const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const Client client, Chosen());
  return client->Inspect(container, limits);
}

bool EngineDoor::replays() const {
  const absl::StatusOr<Client> client = Chosen();
  return client.ok() && (*client)->replays();
}

}  // namespace nsctl::engines
