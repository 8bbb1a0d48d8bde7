#include "engines/containerd/containerd_messages.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/events.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/containerd/types.pb.h"
#include "engines/engine_client.h"
#include "engines/http_json.h"
#include "engines/json_member.h"
#include "engines/json_text.h"
#include "engines/oci_spec.h"
#include "engines/protobuf_fields.h"
#include "engines/sorted_labels.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines::containerd {
namespace {

using ::containerd::services::tasks::v1::Process;
using google::protobuf::Timestamp;

// Of containers that are remembered to have run out of memory.
constexpr size_t kMaxOutOfMemory = 10'000;

constexpr const char* kTopics[] = {
    "/tasks/start", "/tasks/exit",        "/tasks/paused",      "/tasks/resumed",
    "/tasks/oom",   "/containers/update", "/containers/delete",
};

// What containerd's plugin for Kubernetes writes down of a container: its labels and annotations
// are the kubelet's.
struct KubernetesFacts {
  Labels labels;
  Labels annotations;
  std::string sandbox;
  std::optional<bool> privileged;
};

// Go's zero time is in the year 1. What a Timestamp cannot hold is no time either.
bool IsSet(const Timestamp& time) {
  constexpr int64_t kLastSecond = 253'402'300'799;
  constexpr int32_t kSecond = 1'000'000'000;
  return time.seconds() > 0 && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
         time.nanos() < kSecond;
}

KubernetesFacts FactsOf(const ::containerd::services::containers::v1::Container& container,
                        bool is_sandbox) {
  KubernetesFacts facts;
  const char* const key =
      is_sandbox ? "io.cri-containerd.sandbox.metadata" : "io.cri-containerd.container.metadata";
  for (const auto& extension : container.extensions()) {
    if (extension.key() != key) continue;
    const absl::string_view metadata = FindMember(extension.value().value(), "Metadata");
    const absl::string_view config = FindMember(metadata, "Config");
    SetLabels(ParseMember(config, {"labels"}), &facts.labels);
    SetLabels(ParseMember(config, {"annotations"}), &facts.annotations);
    facts.sandbox = TextOf(ParseMember(metadata, {"SandboxID"}));
    const Json security = ParseMember(config, {"linux", "security_context"});
    // False is left out.
    if (security.is_object()) facts.privileged = BoolMember(security, "privileged").value_or(false);
    return facts;
  }
  return facts;
}

// The first of both that is there.
std::string FirstOf(const Labels& labels, const char* label, const Labels& annotations,
                    const char* annotation) {
  const std::string* found = FindLabel(labels, label);
  if (found == nullptr || found->empty()) found = FindLabel(annotations, annotation);
  return found == nullptr ? "" : *found;
}

// `container` is all but complete. `runtime` are the annotations that the runtime got.
void SetKubernetes(const KubernetesFacts& facts, const Labels& runtime, bool is_sandbox,
                   EngineRow* row) {
  Container& container = row->container;
  const auto text = [&](const char* label, const char* annotation) {
    return FirstOf(container.labels(), label, runtime, annotation);
  };
  *container.mutable_annotations() = Union(runtime, facts.annotations);
  if (facts.privileged.has_value()) container.set_privileged(*facts.privileged);
  const std::string image = text("", "io.kubernetes.cri.image-name");
  if (!image.empty()) container.set_image(image);
  Pod pod;
  pod.set_id(is_sandbox               ? container.id()
             : !facts.sandbox.empty() ? facts.sandbox
                                      : text("", "io.kubernetes.cri.sandbox-id"));
  if (pod.id().empty()) return;
  pod.set_native_namespace(container.native_namespace());
  pod.set_sandbox(pod.id());
  pod.set_name(text("io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"));
  pod.set_kubernetes_namespace(
      text("io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"));
  pod.set_uid(text("io.kubernetes.pod.uid", "io.kubernetes.cri.sandbox-uid"));
  if (is_sandbox) {
    *pod.mutable_labels() = facts.labels.empty() ? container.labels() : facts.labels;
    *pod.mutable_annotations() = facts.annotations;
    container.set_sandbox(true);
    container.set_name(pod.name());
  } else {
    container.set_name(text("io.kubernetes.container.name", "io.kubernetes.cri.container-name"));
  }
  container.set_pod(pod.id());
  row->pod = std::move(pod);
}

void SetTask(const Process* task, Container* container) {
  if (task == nullptr) return container->set_state(Container::exited);
  container->set_state(StateFromContainerd(task->status()));
  if (IsAlive(container->state())) {
    container->set_engine_pid(task->pid());
  } else if (container->state() == Container::exited) {
    container->set_exit_code(static_cast<int32_t>(task->exit_status()));
    if (IsSet(task->exited_at())) *container->mutable_finished_at() = task->exited_at();
  }
}

// Of the messages whose first field is the container's id, and that say nothing else.
template <typename Message>
std::string IdIn(absl::string_view bytes) {
  Message message;
  if (!ParseMessage(bytes, &message).ok()) return "";
  if constexpr (requires { message.container_id(); }) {
    return base::EncodeText(message.container_id());
  } else {
    return base::EncodeText(message.id());
  }
}

EngineEvent ReadStart(absl::string_view bytes) {
  EngineEvent event;
  ::containerd::events::TaskStart start;
  if (!ParseMessage(bytes, &start).ok()) return event;
  event.kind = EngineEvent::Kind::kStarted;
  event.container.id = base::EncodeText(start.container_id());
  event.engine_pid = start.pid();
  return event;
}

EngineEvent ReadExit(absl::string_view bytes) {
  EngineEvent event;
  ::containerd::events::TaskExit exit;
  if (!ParseMessage(bytes, &exit).ok()) return event;
  const bool of_exec = !exit.id().empty() && exit.id() != exit.container_id();
  event.kind = of_exec ? EngineEvent::Kind::kExecExited : EngineEvent::Kind::kExited;
  event.container.id = base::EncodeText(exit.container_id());
  event.engine_pid = exit.pid();
  event.exit_code = static_cast<int32_t>(exit.exit_status());
  return event;
}

}  // namespace

bool MayBeAlive(const Process& task) {
  const Container::State state = StateFromContainerd(task.status());
  return IsAlive(state) || state == Container::unknown;
}

absl::StatusOr<EngineRow> RowOf(const std::string& native_namespace,
                                const ::containerd::services::containers::v1::Container& container,
                                const Process* task) {
  if (container.id().empty()) return absl::DataLossError("a container without an id");
  EngineRow row;
  Container& ours = row.container;
  ours.set_id(base::EncodeText(container.id()));
  ours.set_native_namespace(native_namespace);
  SetTask(task, &ours);
  row.partial = ours.state() == Container::unknown;
  *ours.mutable_labels() = LabelsOf(container.labels());
  ours.set_image(base::EncodeText(container.image()));
  ours.set_runtime(base::EncodeText(container.runtime().name()));
  if (IsSet(container.created_at())) *ours.mutable_created_at() = container.created_at();
  OciSpec spec = ReadOciSpec(container.spec().value());
  ours.set_cgroup(spec.cgroup);
  *ours.mutable_annotations() = spec.annotations;

  const std::string* const kind = FindLabel(ours.labels(), "io.cri-containerd.kind");
  const std::string* const nerdctl = FindLabel(ours.labels(), "nerdctl/name");
  if (kind != nullptr) {
    const bool is_sandbox = *kind == "sandbox";
    SetKubernetes(FactsOf(container, is_sandbox), spec.annotations, is_sandbox, &row);
  } else if (nerdctl != nullptr) {
    ours.set_name(*nerdctl);
  }
  if (ours.name().empty()) ours.set_name(ours.id());
  if (const auto project = ProjectOf(ours.labels()); project.has_value()) {
    *ours.mutable_project() = *project;
  }
  return row;
}

std::optional<EngineEvent> EventReader::ReadTopic(absl::string_view topic,
                                                  absl::string_view message,
                                                  const std::string& native_namespace) {
  using Kind = EngineEvent::Kind;
  EngineEvent event;
  if (topic == "/tasks/start") {
    event = ReadStart(message);
  } else if (topic == "/tasks/exit") {
    event = ReadExit(message);
  } else if (topic == "/tasks/paused") {
    event.kind = Kind::kPaused;
    event.container.id = IdIn<::containerd::events::TaskPaused>(message);
  } else if (topic == "/tasks/resumed") {
    event.kind = Kind::kUnpaused;
    event.container.id = IdIn<::containerd::events::TaskResumed>(message);
  } else if (topic == "/containers/update") {
    event.container.id = IdIn<::containerd::events::ContainerUpdate>(message);
  } else if (topic == "/containers/delete") {
    event.kind = Kind::kRemoved;
    event.container.id = IdIn<::containerd::events::ContainerDelete>(message);
  } else if (topic == "/tasks/oom") {
    const std::string id = IdIn<::containerd::events::TaskOOM>(message);
    if (out_of_memory_.size() >= kMaxOutOfMemory) out_of_memory_.clear();
    out_of_memory_.insert({native_namespace, id});
    return std::nullopt;
  } else {
    return std::nullopt;
  }
  event.container.native_namespace = native_namespace;
  return event;
}

std::optional<EngineEvent> EventReader::Read(absl::string_view envelope) {
  EngineEvent lost;
  lost.kind = EngineEvent::Kind::kLost;
  ::containerd::types::Envelope read;
  if (!ParseMessage(envelope, &read).ok()) return lost;
  // The type's URL has no slash and Any's own methods refuse it: the topic says what it is.
  std::optional<EngineEvent> event =
      ReadTopic(read.topic(), read.event().value(), base::EncodeText(read.namespace_()));
  if (!event.has_value()) return std::nullopt;
  if (event->container.id.empty()) return lost;
  if (IsSet(read.timestamp())) {
    event->time = absl::FromUnixSeconds(read.timestamp().seconds()) +
                  absl::Nanoseconds(read.timestamp().nanos());
  }
  if (event->kind == EngineEvent::Kind::kStarted) out_of_memory_.erase(event->container);
  if (event->kind == EngineEvent::Kind::kExited && out_of_memory_.erase(event->container) > 0) {
    event->oom_killed = true;
  }
  return event;
}

std::vector<std::string> EventFilters() {
  std::vector<std::string> filters;
  for (const char* topic : kTopics) filters.push_back(absl::StrCat("topic==\"", topic, "\""));
  return filters;
}

}  // namespace nsctl::engines::containerd
