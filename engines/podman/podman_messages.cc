#include "engines/podman/podman_messages.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/engine_client.h"
#include "engines/http_json.h"
#include "engines/json_text.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines::podman {
namespace {

constexpr int64_t kLastSecond = 253'402'300'799;

// A number of seconds, or text, as the version and the field have it.
bool SetAnyTime(const Json& json, google::protobuf::Timestamp* timestamp) {
  return SetTime(TextOf(json), timestamp) || SetTime(IntOf(json), timestamp);
}

void SetCommon(const Json& labels, const std::string& pod, const std::string& pod_name,
               bool is_infra, EngineRow* row) {
  Container& container = row->container;
  SetLabels(labels, container.mutable_labels());
  if (const auto project = ProjectOf(container.labels()); project.has_value()) {
    *container.mutable_project() = *project;
  }
  if (container.name().empty()) container.set_name(container.id());
  container.set_sandbox(is_infra);
  if (pod.empty()) return;
  container.set_pod(pod);
  row->pod.emplace();
  row->pod->set_id(pod);
  row->pod->set_name(pod_name);
}

std::optional<EngineEvent::Kind> KindOf(absl::string_view status) {
  using Kind = EngineEvent::Kind;
  if (status == "start") return Kind::kStarted;
  if (status == "died" || status == "die") return Kind::kExited;
  if (status == "pause") return Kind::kPaused;
  if (status == "unpause") return Kind::kUnpaused;
  if (status == "rename" || status == "update" || status == "restore") return Kind::kUpdated;
  if (status == "remove") return Kind::kRemoved;
  if (status == "exec_died") return Kind::kExecExited;
  return std::nullopt;
}

absl::Time TimeOf(const Json& event) {
  const auto nanoseconds = IntMember(event, "timeNano");
  if (nanoseconds.has_value() && *nanoseconds > 0) return absl::FromUnixNanos(*nanoseconds);
  const auto seconds = IntMember(event, "time");
  if (!seconds.has_value() || *seconds <= 0 || *seconds > kLastSecond) return absl::InfinitePast();
  // The end of that second: what is dated too early counts as known.
  return absl::FromUnixSeconds(*seconds) + absl::Nanoseconds(999'999'999);
}

}  // namespace

absl::StatusOr<EngineRow> RowOfList(const Json& json) {
  EngineRow row;
  Container& container = row.container;
  container.set_id(TextMember(json, "Id"));
  if (container.id().empty()) return absl::DataLossError("a container without an id");
  const Json& names = Member(json, "Names");
  if (names.is_array() && !names.empty()) container.set_name(TextOf(names[0]));
  container.set_state(StateFromPodman(TextMember(json, "State")));
  if (IsAlive(container.state())) container.set_engine_pid(IntMember(json, "Pid").value_or(0));
  container.set_image(TextMember(json, "Image"));
  container.set_image_id(TextMember(json, "ImageID"));
  google::protobuf::Timestamp time;
  if (SetAnyTime(Member(json, "Created"), &time)) *container.mutable_created_at() = time;
  if (container.state() == Container::exited) {
    if (const auto code = IntMember(json, "ExitCode"); code.has_value()) {
      container.set_exit_code(static_cast<int32_t>(*code));
    }
    if (SetAnyTime(Member(json, "ExitedAt"), &time)) *container.mutable_finished_at() = time;
    if (SetAnyTime(Member(json, "StartedAt"), &time)) *container.mutable_started_at() = time;
  }
  const int64_t restarts = IntMember(json, "Restarts").value_or(0);
  container.set_restart_count(static_cast<uint32_t>(
      std::clamp<int64_t>(restarts, 0, std::numeric_limits<uint32_t>::max())));
  SetCommon(Member(json, "Labels"), TextMember(json, "Pod"), TextMember(json, "PodName"),
            BoolMember(json, "IsInfra").value_or(false), &row);
  return row;
}

absl::StatusOr<EngineRow> RowOfInspection(const Json& json) {
  EngineRow row;
  Container& container = row.container;
  const Json& state = Member(json, "State");
  container.set_id(TextMember(json, "Id"));
  if (container.id().empty()) return absl::DataLossError("a container without an id");
  container.set_name(TextMember(json, "Name"));
  container.set_state(StateFromPodman(TextMember(state, "Status")));
  google::protobuf::Timestamp time;
  if (IsAlive(container.state())) {
    container.set_engine_pid(IntMember(state, "Pid").value_or(0));
  } else {
    if (const auto code = IntMember(state, "ExitCode");
        code.has_value() && container.state() != Container::created) {
      container.set_exit_code(static_cast<int32_t>(*code));
    }
    if (SetTime(TextMember(state, "FinishedAt"), &time)) *container.mutable_finished_at() = time;
  }
  if (BoolMember(state, "OOMKilled").value_or(false)) container.set_oom_killed(true);
  if (SetTime(TextMember(json, "Created"), &time)) *container.mutable_created_at() = time;
  if (SetTime(TextMember(state, "StartedAt"), &time)) *container.mutable_started_at() = time;
  container.set_image(TextMember(json, "ImageName"));
  container.set_image_id(TextMember(json, "Image"));
  container.set_runtime(TextMember(json, "OCIRuntime"));
  container.set_cgroup(TextMember(state, "CgroupPath"));
  container.set_privileged(BoolMember(Member(json, "HostConfig"), "Privileged").value_or(false));
  const int64_t restarts = IntMember(json, "RestartCount").value_or(0);
  container.set_restart_count(static_cast<uint32_t>(
      std::clamp<int64_t>(restarts, 0, std::numeric_limits<uint32_t>::max())));
  SetCommon(Member(Member(json, "Config"), "Labels"), TextMember(json, "Pod"), "",
            BoolMember(json, "IsInfra").value_or(false), &row);
  return row;
}

Pod PodOf(const Json& json) {
  Pod pod;
  pod.set_id(TextMember(json, "Id"));
  pod.set_name(TextMember(json, "Name"));
  pod.set_sandbox(TextMember(json, "InfraContainerID"));
  SetLabels(Member(json, "Labels"), pod.mutable_labels());
  return pod;
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
  int32_t code = 0;
  const Json& attributes = Member(actor, "Attributes");
  if (absl::SimpleAtoi(TextMember(attributes, "containerExitCode"), &code)) event.exit_code = code;
  event.name = TextMember(attributes, "name");
  event.image = TextMember(attributes, "image");
  return event;
}

}  // namespace nsctl::engines::podman
