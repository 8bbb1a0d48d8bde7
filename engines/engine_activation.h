// Starts engines that run only while somebody is connected: whoever listens for them (systemd) is
// connected to, and starts them.

#ifndef NSCTL_ENGINES_ENGINE_ACTIVATION_H_
#define NSCTL_ENGINES_ENGINE_ACTIVATION_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/engine_types.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// For one thread at a time.
class EngineActivation {
 public:
  // `procfs` shows the caller's own PIDs and must outlive this object.
  EngineActivation(const procfsroot::Procfs& procfs, absl::Span<const EngineKind> kinds,
                   std::vector<Engine::Type> types)
      : procfs_(procfs), kinds_(kinds), types_(std::move(types)) {}

  // Connects to sockets of engines that a process called systemd listens at and nobody else does,
  // each once, and waits until the engine is there, but for at most two seconds in all. Connections
  // are kept, so that the engine stays until it is asked. Adds to `gaps` what did not work.
  void Activate(std::vector<EngineGap>* gaps);

  // Ends connections of earlier calls.
  void EndConnections() { connections_.clear(); }

 private:
  struct Waiting {
    base::Pid pid;
    std::string path;
    const EngineKind* kind = nullptr;
  };

  // By inode number of the socket; those that a process of that program holds left out.
  std::map<uint64_t, Waiting> Find() const;
  absl::Status Connect(const Waiting& waiting);

  const procfsroot::Procfs& procfs_;
  const absl::Span<const EngineKind> kinds_;
  const std::vector<Engine::Type> types_;
  std::set<uint64_t> tried_;
  std::vector<base::OwnedFd> connections_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_ACTIVATION_H_
