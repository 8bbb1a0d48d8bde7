#include "engines/engine_link.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container_process.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

absl::StatusOr<SocketPeer> PeerOf(base::FdRef socket) {
  struct ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "getsockopt SO_PEERCRED", socket.path());
  }
  return SocketPeer{.pid = base::Pid{credentials.pid}, .uid = credentials.uid};
}

class EngineLink::Finder : public ProcessFinder {
 public:
  explicit Finder(EngineLink* link) : link_(*link) {}

  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override {
    NSCTL_ASSIGN_OR_RETURN(const std::shared_ptr<ProcessFinder> finder, link_.CurrentFinder());
    return finder->Find(engine_pid);
  }

 private:
  EngineLink& link_;
};

std::unique_ptr<ProcessFinder> EngineLink::MakeFinder() { return std::make_unique<Finder>(this); }

absl::StatusOr<base::OwnedFd> EngineLink::Connect() {
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd socket, root_.ConnectUnix(path_));
  NSCTL_ASSIGN_OR_RETURN(const SocketPeer peer, PeerOf(socket));
  if (peer.pid.value <= 0) return base::ErrnoStatus(ESRCH, "find who listens at", path_);
  const absl::MutexLock lock(&mutex_);
  if (!peer_.has_value() || peer_->pid != peer.pid) finder_ = nullptr;
  peer_ = peer;
  return socket;
}

std::optional<SocketPeer> EngineLink::peer() const {
  const absl::MutexLock lock(&mutex_);
  return peer_;
}

absl::StatusOr<std::shared_ptr<ProcessFinder>> EngineLink::CurrentFinder() {
  const absl::MutexLock lock(&mutex_);
  if (finder_ != nullptr) return finder_;
  if (!peer_.has_value()) return base::ErrnoStatus(ESRCH, "find who listens at", path_);
  NSCTL_ASSIGN_OR_RETURN(finder_, FindProcessesOf(procfs_, peer_->pid));
  return finder_;
}

}  // namespace nsctl::engines
