// The way to one engine: a socket below a root directory, and the process that answers there.
//
// An engine that is restarted is the same engine with another process, so who answers is asked at
// each connection. PIDs that the engine tells are numbers of that process's PID namespace.

#ifndef NSCTL_ENGINES_ENGINE_LINK_H_
#define NSCTL_ENGINES_ENGINE_LINK_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "engines/container_process.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

// Who called listen(2) on the socket that `socket` is connected to: the engine, or whoever starts
// it when somebody connects. The PID is 0 where the process is not visible here.
struct SocketPeer {
  base::Pid pid;
  uid_t uid = 0;
};
// Source: unix(7), SO_PEERCRED.
absl::StatusOr<SocketPeer> PeerOf(base::FdRef socket);

// May be used by several threads at once.
class EngineLink {
 public:
  // `procfs` shows the caller's own PIDs and must outlive the link.
  EngineLink(const procfsroot::Procfs& procfs, procfsroot::Root root, std::string path)
      : procfs_(procfs), root_(std::move(root)), path_(std::move(path)) {}

  // Errors: those of Root::ConnectUnix; ESRCH where nobody visible listens.
  absl::StatusOr<base::OwnedFd> Connect() ABSL_LOCKS_EXCLUDED(mutex_);

  // Who answered the last connection; nullopt before the first.
  std::optional<SocketPeer> peer() const ABSL_LOCKS_EXCLUDED(mutex_);
  const std::string& path() const { return path_; }

  // Finds processes of whoever answered last. Must not outlive the link.
  std::unique_ptr<ProcessFinder> MakeFinder();

 private:
  class Finder;

  absl::StatusOr<std::shared_ptr<ProcessFinder>> CurrentFinder() ABSL_LOCKS_EXCLUDED(mutex_);

  const procfsroot::Procfs& procfs_;
  const procfsroot::Root root_;
  const std::string path_;
  mutable absl::Mutex mutex_;
  std::optional<SocketPeer> peer_ ABSL_GUARDED_BY(mutex_);
  // Of peer_; made when it is needed.
  std::shared_ptr<ProcessFinder> finder_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_LINK_H_
