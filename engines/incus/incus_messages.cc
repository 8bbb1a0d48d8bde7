#include "engines/incus/incus_messages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/http_json.h"
#include "engines/json_text.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines::incus {
namespace {

constexpr char kDefaultProject[] = "default";
// What a server that is in no cluster calls its place.
constexpr char kNoLocation[] = "none";

std::string OrDefault(std::string project) {
  return project.empty() ? std::string(kDefaultProject) : project;
}

std::string LocationOf(const Json& json) {
  std::string location = TextMember(json, "location");
  return location == kNoLocation ? "" : location;
}

// Files for cloud-init, with whatever secrets a machine's first start needs.
bool IsForCloudInit(absl::string_view key) {
  return key == "user.user-data" || key == "user.vendor-data" || key == "user.meta-data" ||
         key == "user.network-config" || absl::StartsWith(key, "cloud-init.");
}

bool IsAnnotation(absl::string_view key) {
  // Changes whenever the server looks.
  if (absl::StartsWith(key, "volatile.last_state.")) return false;
  return absl::StartsWith(key, "image.") || absl::StartsWith(key, "volatile.") ||
         absl::StartsWith(key, "security.") || absl::StartsWith(key, "boot.") ||
         absl::StartsWith(key, "limits.");
}

// As both read a switch of their configuration.
bool IsOn(const std::string& value) {
  const std::string lower = absl::AsciiStrToLower(value);
  return lower == "true" || lower == "1" || lower == "yes" || lower == "on";
}

void SetConfiguration(const Json& config, Container* container) {
  if (!config.is_object()) return;
  for (const auto& [key, value] : config.items()) {
    if (!value.is_string() || IsForCloudInit(key)) continue;
    // Members are in the order of their names.
    Labels* const labels = absl::StartsWith(key, "user.") ? container->mutable_labels()
                           : IsAnnotation(key)            ? container->mutable_annotations()
                                                          : nullptr;
    if (labels == nullptr) continue;
    Label* const label = labels->Add();
    label->set_name(key);
    label->set_value(TextOf(value));
  }
  container->set_image(TextMember(config, "image.description"));
  container->set_image_id(TextMember(config, "volatile.base_image"));
  container->set_privileged(IsOn(TextMember(config, "security.privileged")));
}

void SetAnnotation(const char* name, const std::string& value, Container* container) {
  if (!value.empty()) SetLabel(name, value, container->mutable_annotations());
}

std::string ProfilesOf(const Json& json) {
  std::string profiles;
  if (!json.is_array()) return profiles;
  for (const Json& profile : json) {
    absl::StrAppend(&profiles, profiles.empty() ? "" : ",", TextOf(profile));
  }
  return profiles;
}

void SetState(std::optional<int64_t> code, EngineRow* row) {
  // A server that cannot ask a container's monitor calls that an error; it may well run.
  constexpr int64_t kError = 112;
  row->container.set_state(code == kError ? Container::unknown : StateFromIncus(code.value_or(0)));
  row->partial = row->container.state() == Container::unknown;
}

// "a%20b", as Go writes paths and queries; stored text.
std::string Unescape(absl::string_view stored, bool is_query) {
  const std::optional<std::string> text = base::DecodeText(stored);
  if (!text.has_value()) return std::string(stored);
  std::string bytes;
  for (size_t i = 0; i < text->size(); ++i) {
    const absl::string_view digits = absl::string_view(*text).substr(i + 1).substr(0, 2);
    if ((*text)[i] == '%' && digits.size() == 2 &&
        std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) {
      bytes += absl::HexStringToBytes(digits);
      i += 2;
    } else {
      bytes += is_query && (*text)[i] == '+' ? ' ' : (*text)[i];
    }
  }
  return base::EncodeText(bytes);
}

// Of "/1.0/instances/web?project=shop"; empty where it names none, or something below one.
InstanceName NameOfSource(absl::string_view source) {
  const size_t query_at = std::min(source.find('?'), source.size());
  absl::string_view path = source.substr(0, query_at);
  absl::string_view query = source.substr(query_at);
  if (!absl::ConsumePrefix(&path, "/1.0/instances/") &&
      !absl::ConsumePrefix(&path, "/1.0/containers/")) {
    return {};
  }
  if (absl::StrContains(path, "/")) return {};
  InstanceName instance{.project = "", .name = Unescape(path, false)};
  while (!query.empty()) {
    query.remove_prefix(1);
    absl::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size());
    if (absl::ConsumePrefix(&pair, "project=")) instance.project = Unescape(pair, true);
  }
  return instance;
}

struct Action {
  const char* name;
  EngineEvent::Kind kind;
  bool names_anew = false;
};

// Behind "instance-". Snapshots, files, consoles and commands are no changes of the container.
constexpr Action kActions[] = {
    // Nothing runs yet, and who had the name before is gone.
    {"created", EngineEvent::Kind::kRemoved, true},  {"started", EngineEvent::Kind::kStarted},
    {"restarted", EngineEvent::Kind::kStarted},      {"stopped", EngineEvent::Kind::kExited},
    {"shutdown", EngineEvent::Kind::kExited},        {"paused", EngineEvent::Kind::kPaused},
    {"resumed", EngineEvent::Kind::kUnpaused},       {"ready", EngineEvent::Kind::kUpdated},
    {"updated", EngineEvent::Kind::kUpdated},        {"restored", EngineEvent::Kind::kUpdated},
    {"migrated", EngineEvent::Kind::kUpdated, true}, {"renamed", EngineEvent::Kind::kUpdated, true},
    {"deleted", EngineEvent::Kind::kRemoved, true},
};

const Action* FindAction(absl::string_view action) {
  if (!absl::ConsumePrefix(&action, "instance-") && !absl::ConsumePrefix(&action, "container-")) {
    return nullptr;
  }
  const auto* const found = std::find_if(std::begin(kActions), std::end(kActions),
                                         [&](const Action& row) { return action == row.name; });
  return found == std::end(kActions) ? nullptr : found;
}

absl::Time TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, text, &time, &error) ? time : absl::InfinitePast();
}

}  // namespace

absl::StatusOr<Server> ServerOf(const Json& json) {
  const Json& environment = Member(json, "environment");
  const std::string name = TextMember(environment, "server");
  Server server;
  if (name == "incus") {
    server.engine.set_type(Engine::incus);
  } else if (name == "lxd") {
    server.engine.set_type(Engine::lxd);
  } else if (TextMember(json, "auth") != "untrusted") {
    return absl::UnimplementedError("answers as another engine");
  }
  if (TextMember(json, "auth") != "trusted") {
    return absl::PermissionDeniedError("it trusts nobody who asks at this socket");
  }
  server.engine.set_id(TextMember(environment, "certificate_fingerprint"));
  server.engine.set_version(TextMember(environment, "server_version"));
  server.engine.set_api_version(TextMember(json, "api_version"));
  if (BoolMember(environment, "server_clustered").value_or(false)) {
    server.location = TextMember(environment, "server_name");
  }
  return server;
}

absl::StatusOr<Instance> InstanceOf(const Json& json) {
  Instance instance;
  Container& container = instance.row.container;
  instance.name = {.project = OrDefault(TextMember(json, "project")),
                   .name = TextMember(json, "name")};
  if (instance.name.name.empty()) return absl::DataLossError("an instance without a name");
  instance.location = LocationOf(json);
  instance.is_machine = TextMember(json, "type") == "virtual-machine";
  const Json& expanded = Member(json, "expanded_config");
  const Json& config = expanded.is_object() ? expanded : Member(json, "config");
  container.set_id(TextMember(config, "volatile.uuid"));
  if (container.id().empty()) container.set_id(instance.name.name);
  container.set_name(instance.name.name);
  container.set_native_namespace(instance.name.project);
  container.mutable_project()->set_project(instance.name.project);
  container.set_runtime("lxc");
  SetConfiguration(config, &container);
  SetAnnotation("architecture", TextMember(json, "architecture"), &container);
  SetAnnotation("description", TextMember(json, "description"), &container);
  SetAnnotation("location", instance.location, &container);
  SetAnnotation("profiles", ProfilesOf(Member(json, "profiles")), &container);
  SetState(IntMember(json, "status_code"), &instance.row);
  google::protobuf::Timestamp time;
  if (SetTime(TextMember(json, "created_at"), &time)) *container.mutable_created_at() = time;
  // The last start.
  if (SetTime(TextMember(json, "last_used_at"), &time)) *container.mutable_started_at() = time;
  const Json& state = Member(json, "state");
  if (state.is_object()) {
    TakeState(state, &instance.row);
  } else if (IsAlive(container.state())) {
    instance.row.partial = true;
  }
  return instance;
}

void TakeState(const Json& json, EngineRow* row) {
  Container& container = row->container;
  SetState(IntMember(json, "status_code"), row);
  const int64_t pid = IntMember(json, "pid").value_or(0);
  // -1 and 0 where there is none.
  container.set_engine_pid(IsAlive(container.state()) ? std::max<int64_t>(pid, 0) : 0);
  google::protobuf::Timestamp time;
  if (SetTime(TextMember(json, "started_at"), &time)) *container.mutable_started_at() = time;
}

std::optional<InstanceEvent> EventOf(const Json& json) {
  const std::string type = TextMember(json, "type");
  if (!type.empty() && type != "lifecycle") return std::nullopt;
  const Json& metadata = Member(json, "metadata");
  const std::string action = TextMember(metadata, "action");
  InstanceEvent event;
  event.time = TimeOf(TextMember(json, "timestamp"));
  event.location = LocationOf(json);
  event.kind = EngineEvent::Kind::kLost;
  // Nothing is told of the instances that have the profile.
  if (action.empty() || action == "profile-updated") return event;
  const Action* const known = FindAction(action);
  if (known == nullptr) return std::nullopt;
  event.instance = NameOfSource(TextMember(metadata, "source"));
  for (const std::string& project :
       {TextMember(metadata, "project"), TextMember(json, "project")}) {
    if (event.instance.project.empty()) event.instance.project = project;
  }
  event.instance.project = OrDefault(std::move(event.instance.project));
  if (event.instance.name.empty()) event.instance.name = TextMember(metadata, "name");
  if (event.instance.name.empty()) return event;
  event.kind = known->kind;
  event.names_anew = known->names_anew;
  const std::string old_name = TextMember(Member(metadata, "context"), "old_name");
  if (!old_name.empty()) event.old_name = old_name;
  return event;
}

std::optional<std::string> InstancePath(const InstanceName& instance, absl::string_view more) {
  const std::optional<std::string> name = base::DecodeText(instance.name);
  const std::optional<std::string> project = base::DecodeText(instance.project);
  if (!name.has_value() || !project.has_value() || name->empty() || *name == "." || *name == ".." ||
      absl::StrContains(*name, "/")) {
    return std::nullopt;
  }
  return absl::StrCat("/1.0/instances/", PercentEncode(*name), more,
                      "?project=", PercentEncode(*project));
}

}  // namespace nsctl::engines::incus
