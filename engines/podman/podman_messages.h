// What Podman's own API (libpod) says, as values of ours. Pure: JSON in, rows and events out.
//
// Source: libpod API 4.0 to 5.x. Its imitation of Docker's API is not used: there lists leave out
// paused containers, and before 4.4 a subscription to "die" hears nothing.

#ifndef NSCTL_ENGINES_PODMAN_PODMAN_MESSAGES_H_
#define NSCTL_ENGINES_PODMAN_PODMAN_MESSAGES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::podman {

// An element of GET /libpod/containers/json: whole, PID and pod included. DATA_LOSS where it has no
// id.
absl::StatusOr<EngineRow> RowOfList(const Json& json);

// GET /libpod/containers/ID/json. Its pod has no name here, if it is in one.
absl::StatusOr<EngineRow> RowOfInspection(const Json& json);

// GET /libpod/pods/ID/json.
Pod PodOf(const Json& json);

// An element of GET /libpod/events; nullopt for what changes nothing that is shown. One without a
// whole identity is kLost.
std::optional<EngineEvent> EventOf(const Json& json);

}  // namespace nsctl::engines::podman

#endif  // NSCTL_ENGINES_PODMAN_PODMAN_MESSAGES_H_
