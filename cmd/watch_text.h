// Changes of containers and engines, a line each.

#ifndef NSCTL_CMD_WATCH_TEXT_H_
#define NSCTL_CMD_WATCH_TEXT_H_

#include <map>
#include <string>

#include "engines/container.pb.h"

namespace nsctl::cmd {

// How engines are called in a line: "docker" where that says which one, "docker:1234" of those that
// are in a container or another user's, and where several of the type are known.
class EngineNames {
 public:
  // Takes in the state of an engine; false where it was not known.
  bool Take(const engines::Engine& engine);

  std::string NameOf(const std::string& key) const;

 private:
  struct Known {
    engines::Engine::Type type = engines::Engine::unspecified;
    bool is_guest = false;
    bool is_gone = false;
  };

  std::map<std::string, Known> engines_;
  std::map<engines::Engine::Type, int> counts_;
};

// "2025-01-01T12:00:00.250Z started container "web" (772c08635646) of docker, process 1234": when
// it happened, or was learnt of where the engine does not say, what, and to whom. Safe for a
// terminal, without a newline. Takes in the engine that changed.
std::string ChangeText(const engines::Change& change, EngineNames* names);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WATCH_TEXT_H_
