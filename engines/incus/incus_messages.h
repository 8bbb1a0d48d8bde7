// What the API of Incus and LXD says, as values of ours. Pure: JSON in, rows and events out.
//
// The two are one interface; LXD before 4.0 names containers where it later names instances.
// Source: the REST API 1.0 of LXD 4.0 to 5.21 and Incus 6.

#ifndef NSCTL_ENGINES_INCUS_INCUS_MESSAGES_H_
#define NSCTL_ENGINES_INCUS_INCUS_MESSAGES_H_

#include <compare>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::incus {

// An instance among those of one server, as its paths and events name it; stored text.
struct InstanceName {
  std::string project;
  std::string name;

  friend bool operator==(const InstanceName&, const InstanceName&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const InstanceName&, const InstanceName&) = default;
};

struct Server {
  // Type, id, version and API version.
  Engine engine;
  // Its name in a cluster; empty where it is in none.
  std::string location;
};

// The metadata of GET /1.0. UNIMPLEMENTED where it is neither of the two's; PERMISSION_DENIED where
// it does not trust the caller, who would be shown nothing.
absl::StatusOr<Server> ServerOf(const Json& json);

struct Instance {
  InstanceName name;
  // Of the cluster; empty where there is none.
  std::string location;
  // It has no namespaces of its own, and its process is one of the host's.
  bool is_machine = false;
  // Partial where the state is not said, or cannot be told by the server itself.
  EngineRow row;
};

// An instance, with its state where the server put it in. The container's id is the server's uuid,
// or its name where it has none yet. DATA_LOSS where it has no name.
absl::StatusOr<Instance> InstanceOf(const Json& json);

// Adds what GET .../state says.
void TakeState(const Json& json, EngineRow* row);

struct InstanceEvent {
  // Of an instance. kLost: of something that many instances take after.
  EngineEvent::Kind kind = EngineEvent::Kind::kUpdated;
  absl::Time time = absl::InfinitePast();
  InstanceName instance = {};
  // Whether the name may be another instance's from now on, and which one was this one's before.
  bool names_anew = false;
  std::optional<std::string> old_name = std::nullopt;
  // As in Instance.
  std::string location = "";
};

// A message of GET /1.0/events; nullopt for what changes nothing that is shown. One without a whole
// identity is kLost.
std::optional<InstanceEvent> EventOf(const Json& json);

// "/1.0/instances/NAME" and `more` ("/state"), with the project as the query's beginning; nullopt
// for names that would be another path.
std::optional<std::string> InstancePath(const InstanceName& instance, absl::string_view more = "");

}  // namespace nsctl::engines::incus

#endif  // NSCTL_ENGINES_INCUS_INCUS_MESSAGES_H_
