// Completes what a list says of containers that do not run: how and when they ended is in
// inspections alone where engines list no more than a state. Collects them.

#ifndef NSCTL_ENGINES_STOPPED_ROWS_H_
#define NSCTL_ENGINES_STOPPED_ROWS_H_

#include <cstddef>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines {

// Gives `sink` each of `rows`, in their order, as `inspect` shows it; as it is where that fails or
// comes too late, and not at all where the container is gone or runs by then. `inspect` is called
// by several threads at once. Errors: `sink`'s.
absl::Status GiveInspected(std::vector<EngineRow> rows, const CallLimits& limits,
                           absl::FunctionRef<absl::StatusOr<EngineRow>(const ContainerId&)> inspect,
                           absl::FunctionRef<absl::Status(EngineRow)> sink);

// All containers of an engine that do not run, and their pods, in the engine's order. Errors: those
// of EngineClient::ListStopped; RESOURCE_EXHAUSTED where there are more than `most`.
absl::StatusOr<Containers> ListStopped(EngineClient* client, const CallLimits& limits, size_t most);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_STOPPED_ROWS_H_
