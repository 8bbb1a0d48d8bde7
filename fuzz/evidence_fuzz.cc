// What processes, cgroups and runtimes say of containers.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/cgroup_names.h"
#include "engines/helper_processes.h"
#include "engines/listening_sockets.h"
#include "engines/runtime_state.h"

namespace engines = nsctl::engines;

// A name is a part of its path, helpers have ids, paths of sockets are none of the abstract
// namespace, and what a state says is stored text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::optional<engines::CgroupName> name = engines::ParseCgroupName(bytes);
  if (name.has_value() && (name->id.empty() || !absl::StartsWith(bytes, name->path))) abort();
  const std::vector<std::string> arguments = absl::StrSplit(bytes, '\0');
  for (const char* process : {"containerd-shim", "conmon", "lxc-start", "systemd-nspawn"}) {
    const auto helper = engines::ParseHelper(process, arguments);
    if (helper.has_value() && helper->id.empty()) abort();
  }
  for (const engines::ListeningSocket& socket : engines::ParseListeningSockets(bytes)) {
    if (socket.path.empty() || socket.path.front() == '@') abort();
  }
  const absl::StatusOr<engines::RuntimeState> state = engines::ParseRuntimeState(bytes);
  if (!state.ok()) return 0;
  if (state->pid < 0 || !nsctl::base::DecodeText(state->id).has_value()) abort();
  return 0;
}
