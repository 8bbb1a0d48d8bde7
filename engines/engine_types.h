// Which programs are engines, and how each is asked: one row for each client.

#ifndef NSCTL_ENGINES_ENGINE_TYPES_H_
#define NSCTL_ENGINES_ENGINE_TYPES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

struct EngineKind {
  Engine::Type type = Engine::unspecified;
  // The file name of its program.
  const char* program = "";
  // Must be among its arguments; null: no matter. Tells a service from a command of the same
  // program.
  const char* argument = nullptr;
  // Whether these are the arguments of the service, where other processes of the program have its
  // name; null: no matter.
  bool (*is_service)(absl::Span<const std::string> arguments) = nullptr;
  // The usual file name of its socket: one that is called so is tried first.
  const char* socket = "";
  // systemd may listen for it at a socket of that name, and start it when somebody connects.
  bool activated = false;
  // Asks through connections to one of its sockets.
  std::unique_ptr<EngineClient> (*make_client)(Connector connect) = nullptr;
  // In its place where that is not all: asks the process `engine`, whose root directory is `root`,
  // by its files as well. `procfs` must outlive the client.
  std::unique_ptr<EngineClient> (*make_client_at)(Connector connect,
                                                  const procfsroot::Procfs& procfs,
                                                  base::Pid engine,
                                                  procfsroot::Root root) = nullptr;
};

// All of them. Where a program has several rows they are tried in this order, and the first that
// the program answers is taken.
absl::Span<const EngineKind> EngineKinds();

// Those of `kinds` for a process of this name (cut to 15 bytes, as the kernel does) or executable;
// arguments are not looked at.
std::vector<const EngineKind*> KindsOfProgram(absl::Span<const EngineKind> kinds,
                                              absl::string_view name, absl::string_view executable);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_TYPES_H_
