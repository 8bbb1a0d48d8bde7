#include "engines/cri/cri_messages.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"
#include "engines/json_member.h"
#include "engines/json_text.h"
#include "engines/oci_spec.h"
#include "engines/protobuf_fields.h"
#include "engines/sorted_labels.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines::cri {
namespace {

constexpr int kSandboxReady = 0;

constexpr int kStarted = 1;
constexpr int kStopped = 2;
constexpr int kDeleted = 3;

void SetTime(int64_t nanoseconds, google::protobuf::Timestamp* timestamp) {
  constexpr int64_t kSecond = 1'000'000'000;
  timestamp->set_seconds(nanoseconds / kSecond);
  timestamp->set_nanos(static_cast<int32_t>(nanoseconds % kSecond));
}

// What sandboxes have in lists and in answers about one alike.
template <typename Sandbox>
absl::StatusOr<EngineRow> RowOfAnySandbox(const Sandbox& sandbox) {
  if (sandbox.id().empty()) return absl::DataLossError("a pod without an id");
  EngineRow row;
  Container& container = row.container;
  container.set_id(base::EncodeText(sandbox.id()));
  container.set_name(container.id());
  container.set_sandbox(true);
  container.set_pod(container.id());
  container.set_state(sandbox.state() == kSandboxReady ? Container::running : Container::exited);
  if (sandbox.created_at() > 0) SetTime(sandbox.created_at(), container.mutable_created_at());
  *container.mutable_labels() = LabelsOf(sandbox.labels());
  *container.mutable_annotations() = LabelsOf(sandbox.annotations());
  container.set_runtime(base::EncodeText(sandbox.runtime_handler()));
  Pod& pod = row.pod.emplace();
  pod.set_id(container.id());
  pod.set_sandbox(container.id());
  pod.set_name(base::EncodeText(sandbox.metadata().name()));
  if (!pod.name().empty()) container.set_name(pod.name());
  pod.set_kubernetes_namespace(base::EncodeText(sandbox.metadata().namespace_()));
  pod.set_uid(base::EncodeText(sandbox.metadata().uid()));
  *pod.mutable_labels() = container.labels();
  *pod.mutable_annotations() = container.annotations();
  return row;
}

template <typename Wire>
absl::StatusOr<EngineRow> RowOfAnyContainer(const Wire& wire) {
  if (wire.id().empty()) return absl::DataLossError("a container without an id");
  EngineRow row;
  Container& container = row.container;
  container.set_id(base::EncodeText(wire.id()));
  container.set_name(base::EncodeText(wire.metadata().name()));
  if (container.name().empty()) container.set_name(container.id());
  container.set_state(StateFromCri(wire.state()));
  container.set_restart_count(wire.metadata().attempt());
  if (wire.created_at() > 0) SetTime(wire.created_at(), container.mutable_created_at());
  *container.mutable_labels() = LabelsOf(wire.labels());
  *container.mutable_annotations() = LabelsOf(wire.annotations());
  const std::string& image = wire.image().user_specified_image().empty()
                                 ? wire.image().image()
                                 : wire.image().user_specified_image();
  container.set_image(base::EncodeText(image));
  container.set_image_id(base::EncodeText(wire.image_ref()));
  if (const auto project = ProjectOf(container.labels()); project.has_value()) {
    *container.mutable_project() = *project;
  }
  return row;
}

void SetPod(const std::string& id, EngineRow* row) {
  if (id.empty()) return;
  row->container.set_pod(id);
  row->pod.emplace().set_id(id);
}

// The runtime's own words, as JSON. Empty where there are none. It lives as long as `response`.
template <typename Response>
absl::string_view InfoOf(const Response& response) {
  for (const auto& entry : response.info()) {
    if (entry.key() == "info") return entry.value();
  }
  return "";
}

void SetInfo(absl::string_view info, Container* container) {
  container->set_engine_pid(IntOf(ParseMember(info, {"pid"})).value_or(0));
  const std::string runtime = TextOf(ParseMember(info, {"runtimeType"}));
  if (!runtime.empty()) container->set_runtime(runtime);
  container->set_cgroup(ReadOciSpec(FindMember(info, "runtimeSpec")).cgroup);
  // CRI-O says it, others have what they were asked for, where false is left out.
  const Json asked = ParseMember(info, {"config", "linux", "security_context"});
  const Json said = ParseMember(info, {"privileged"});
  std::optional<bool> privileged;
  if (said.is_boolean()) privileged = said.get<bool>();
  if (!privileged.has_value() && asked.is_object()) {
    privileged = BoolMember(asked, "privileged").value_or(false);
  }
  if (privileged.has_value()) container->set_privileged(*privileged);
}

bool IsOutOfMemory(const ::runtime::v1::ContainerStatus& status) {
  return status.reason() == "OOMKilled";
}

// How the container ended, where its event says so.
void ReadEnd(const ::runtime::v1::ContainerEventResponse& response, EngineEvent* event) {
  for (const ::runtime::v1::ContainerStatus& status : response.containers_statuses()) {
    if (status.id() != response.container_id()) continue;
    event->exit_code = status.exit_code();
    if (IsOutOfMemory(status)) event->oom_killed = true;
  }
}

}  // namespace

absl::StatusOr<EngineRow> RowOfSandbox(const ::runtime::v1::PodSandbox& sandbox) {
  absl::StatusOr<EngineRow> row = RowOfAnySandbox(sandbox);
  if (row.ok()) row->partial = true;
  return row;
}

absl::StatusOr<EngineRow> RowOfContainer(const ::runtime::v1::Container& container) {
  absl::StatusOr<EngineRow> row = RowOfAnyContainer(container);
  if (!row.ok()) return row;
  row->partial = true;
  SetPod(base::EncodeText(container.pod_sandbox_id()), &*row);
  return row;
}

absl::StatusOr<EngineRow> RowOfStatus(const ::runtime::v1::ContainerStatusResponse& response) {
  const ::runtime::v1::ContainerStatus& status = response.status();
  absl::StatusOr<EngineRow> row = RowOfAnyContainer(status);
  if (!row.ok()) return row;
  Container& container = row->container;
  const absl::string_view info = InfoOf(response);
  SetInfo(info, &container);
  SetPod(TextOf(ParseMember(info, {"sandboxID"})), &*row);
  // One that was frozen behind the interface's back, say.
  if (container.state() == Container::unknown && container.engine_pid() > 0) {
    container.set_state(Container::running);
  }
  if (status.started_at() > 0) SetTime(status.started_at(), container.mutable_started_at());
  if (IsAlive(container.state())) return row;
  container.clear_engine_pid();
  if (container.state() != Container::exited) return row;
  container.set_exit_code(status.exit_code());
  if (IsOutOfMemory(status)) container.set_oom_killed(true);
  if (status.finished_at() > 0) SetTime(status.finished_at(), container.mutable_finished_at());
  return row;
}

absl::StatusOr<EngineRow> RowOfSandboxStatus(
    const ::runtime::v1::PodSandboxStatusResponse& response) {
  absl::StatusOr<EngineRow> row = RowOfAnySandbox(response.status());
  if (!row.ok()) return row;
  Container& container = row->container;
  SetInfo(InfoOf(response), &container);
  // CRI-O pins a pod's namespaces without a process.
  if (container.engine_pid() == 0) container.set_state(Container::exited);
  if (!IsAlive(container.state())) container.clear_engine_pid();
  return row;
}

std::optional<EngineEvent> EventOf(absl::string_view message) {
  EngineEvent event;
  event.kind = EngineEvent::Kind::kLost;
  ::runtime::v1::ContainerEventResponse response;
  if (!ParseMessage(message, &response).ok() || response.container_id().empty()) return event;
  switch (response.container_event_type()) {
    case kStarted:
      event.kind = EngineEvent::Kind::kStarted;
      break;
    case kStopped:
      event.kind = EngineEvent::Kind::kExited;
      ReadEnd(response, &event);
      break;
    case kDeleted:
      event.kind = EngineEvent::Kind::kRemoved;
      break;
    default:
      return std::nullopt;
  }
  event.container.id = base::EncodeText(response.container_id());
  if (response.created_at() > 0) event.time = absl::FromUnixNanos(response.created_at());
  return event;
}

}  // namespace nsctl::engines::cri
