// What Docker's API says, as values of ours. Pure: JSON in, rows and events out.
//
// Source: the Docker Engine API, v1.24 to v1.51.

#ifndef NSCTL_ENGINES_DOCKER_DOCKER_MESSAGES_H_
#define NSCTL_ENGINES_DOCKER_DOCKER_MESSAGES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::docker {

// An element of GET /containers/json: partial, as it has no PID. DATA_LOSS where it has no id.
absl::StatusOr<EngineRow> RowOfList(const Json& json);

// GET /containers/ID/json. DATA_LOSS where it has no id.
absl::StatusOr<EngineRow> RowOfInspection(const Json& json);

// An element of GET /events; nullopt for what changes nothing that is shown. One without a whole
// identity is kLost.
std::optional<EngineEvent> EventOf(const Json& json);

// The query of the events that EventOf wants, without what it would leave out.
std::string EventFilters();

// The version to speak with a server whose newest is `newest` ("1.41"): that, or ours if that is
// older. Empty, for paths without a version, where `newest` is no version.
std::string VersionToSpeak(absl::string_view newest);

}  // namespace nsctl::engines::docker

#endif  // NSCTL_ENGINES_DOCKER_DOCKER_MESSAGES_H_
