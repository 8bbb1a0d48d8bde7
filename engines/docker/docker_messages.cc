#include "engines/docker/docker_messages.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/engine_client.h"
#include "engines/http_json.h"
#include "engines/json_text.h"

namespace nsctl::engines::docker {
namespace {

constexpr int kNewestMinor = 51;
constexpr int kOldestMinor = 24;

std::string WithoutSlash(const std::string& name) {
  return absl::StartsWith(name, "/") ? name.substr(1) : name;
}

// Of "/web" and the aliases that links give it, "/other/alias", the one that is its own.
std::string NameOfList(const Json& names) {
  if (!names.is_array()) return "";
  for (const Json& name : names) {
    std::string text = WithoutSlash(TextOf(name));
    if (!text.empty() && !absl::StrContains(text, "/")) return text;
  }
  return "";
}

// "Exited (3) 5 minutes ago"
std::optional<int32_t> ExitCodeIn(absl::string_view status) {
  int32_t code = 0;
  if (!absl::ConsumePrefix(&status, "Exited (") ||
      !absl::SimpleAtoi(status.substr(0, status.find(')')), &code)) {
    return std::nullopt;
  }
  return code;
}

void SetCommon(const Json& labels, Container* container) {
  SetLabels(labels, container->mutable_labels());
  if (const auto project = ProjectOf(container->labels()); project.has_value()) {
    *container->mutable_project() = *project;
  }
  if (container->name().empty()) container->set_name(container->id());
}

void SetState(const Json& state, Container* container) {
  container->set_state(StateFromDocker(TextMember(state, "Status")));
  if (IsAlive(container->state())) {
    container->set_engine_pid(IntMember(state, "Pid").value_or(0));
  } else if (const auto code = IntMember(state, "ExitCode");
             code.has_value() && container->state() != Container::created) {
    container->set_exit_code(static_cast<int32_t>(*code));
  }
  if (const auto oom = BoolMember(state, "OOMKilled"); oom.has_value() && *oom) {
    container->set_oom_killed(true);
  }
  google::protobuf::Timestamp time;
  if (SetTime(TextMember(state, "StartedAt"), &time)) *container->mutable_started_at() = time;
  if (!IsAlive(container->state()) && SetTime(TextMember(state, "FinishedAt"), &time)) {
    *container->mutable_finished_at() = time;
  }
}

std::optional<EngineEvent::Kind> KindOf(absl::string_view action) {
  using Kind = EngineEvent::Kind;
  // "exec_create: /bin/sh": what follows the colon is the user's.
  action = action.substr(0, action.find(':'));
  if (action == "start") return Kind::kStarted;
  if (action == "die" || action == "died") return Kind::kExited;
  if (action == "pause") return Kind::kPaused;
  if (action == "unpause") return Kind::kUnpaused;
  if (action == "rename" || action == "update") return Kind::kUpdated;
  if (action == "destroy") return Kind::kRemoved;
  if (action == "exec_die") return Kind::kExecExited;
  return std::nullopt;
}

absl::Time TimeOf(const Json& event) {
  const auto nanoseconds = IntMember(event, "timeNano");
  if (nanoseconds.has_value() && *nanoseconds > 0) return absl::FromUnixNanos(*nanoseconds);
  const auto seconds = IntMember(event, "time");
  // The end of that second: what is dated too early counts as known.
  constexpr int64_t kLast = 253'402'300'799;
  if (!seconds.has_value() || *seconds <= 0 || *seconds > kLast) return absl::InfinitePast();
  return absl::FromUnixSeconds(*seconds) + absl::Nanoseconds(999'999'999);
}

}  // namespace

absl::StatusOr<EngineRow> RowOfList(const Json& json) {
  EngineRow row = {.container = {}, .pod = std::nullopt, .partial = true};
  Container& container = row.container;
  container.set_id(TextMember(json, "Id"));
  if (container.id().empty()) return absl::DataLossError("a container without an id");
  container.set_name(NameOfList(Member(json, "Names")));
  container.set_state(StateFromDocker(TextMember(json, "State")));
  container.set_image(TextMember(json, "Image"));
  container.set_image_id(TextMember(json, "ImageID"));
  google::protobuf::Timestamp created;
  if (SetTime(IntMember(json, "Created"), &created)) *container.mutable_created_at() = created;
  if (container.state() == Container::exited) {
    const auto code = ExitCodeIn(TextMember(json, "Status"));
    if (code.has_value()) container.set_exit_code(*code);
  }
  SetCommon(Member(json, "Labels"), &container);
  return row;
}

absl::StatusOr<EngineRow> RowOfInspection(const Json& json) {
  EngineRow row;
  Container& container = row.container;
  const Json& config = Member(json, "Config");
  const Json& host_config = Member(json, "HostConfig");
  container.set_id(TextMember(json, "Id"));
  if (container.id().empty()) return absl::DataLossError("a container without an id");
  container.set_name(WithoutSlash(TextMember(json, "Name")));
  SetState(Member(json, "State"), &container);
  google::protobuf::Timestamp created;
  if (SetTime(TextMember(json, "Created"), &created)) *container.mutable_created_at() = created;
  container.set_image(TextMember(config, "Image"));
  container.set_image_id(TextMember(json, "Image"));
  container.set_runtime(TextMember(host_config, "Runtime"));
  container.set_privileged(BoolMember(host_config, "Privileged").value_or(false));
  const int64_t restarts = IntMember(json, "RestartCount").value_or(0);
  container.set_restart_count(static_cast<uint32_t>(
      std::clamp<int64_t>(restarts, 0, std::numeric_limits<uint32_t>::max())));
  SetCommon(Member(config, "Labels"), &container);
  return row;
}

std::optional<EngineEvent> EventOf(const Json& json) {
  const std::string type = TextMember(json, "Type");
  if (!type.empty() && type != "container") return std::nullopt;
  const Json& actor = Member(json, "Actor");
  const std::string action = TextMember(json, "Action");
  const std::optional<EngineEvent::Kind> kind = KindOf(action);
  if (!kind.has_value() && !action.empty()) return std::nullopt;
  EngineEvent event;
  event.container.id = TextMember(actor, "ID");
  if (!kind.has_value() || event.container.id.empty()) {
    event.kind = EngineEvent::Kind::kLost;
    return event;
  }
  event.kind = *kind;
  event.time = TimeOf(json);
  // The container's labels are attributes as well, and may have these names.
  const Json& attributes = Member(actor, "Attributes");
  int32_t code = 0;
  if (absl::SimpleAtoi(TextMember(attributes, "exitCode"), &code)) event.exit_code = code;
  event.name = TextMember(attributes, "name");
  event.image = TextMember(attributes, "image");
  return event;
}

std::string EventFilters() {
  return R"({"type":["container"],"event":["start","die","pause","unpause","rename","update",)"
         R"("destroy"]})";
}

std::string VersionToSpeak(absl::string_view newest) {
  const std::vector<absl::string_view> parts = absl::StrSplit(newest, '.');
  int major = 0;
  int minor = 0;
  constexpr size_t kMaxLength = 8;
  if (newest.size() > kMaxLength || parts.size() != 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor) || !absl::ascii_isdigit(newest[0]) || major != 1 ||
      minor < kOldestMinor) {
    return "";
  }
  return absl::StrCat("1.", std::min(minor, kNewestMinor));
}

}  // namespace nsctl::engines::docker
