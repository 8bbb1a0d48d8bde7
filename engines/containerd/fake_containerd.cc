#include "engines/containerd/fake_containerd.h"

#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/events.pb.h"
#include "engines/containerd/introspection.pb.h"
#include "engines/containerd/namespaces.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/containerd/types.pb.h"
#include "engines/containerd/version.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines::containerd {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace events = ::containerd::events;
namespace tasks = ::containerd::services::tasks::v1;

// containerd.v1.types.Status
constexpr int kRunning = 2;
constexpr int kPaused = 4;

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const timespec parts = absl::ToTimespec(time);
  timestamp->set_seconds(parts.tv_sec);
  timestamp->set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

containers::Container NewContainer(const std::string& name, const std::string& id) {
  containers::Container container;
  container.set_id(id);
  container.set_image("docker.io/library/busybox:1");
  container.mutable_runtime()->set_name("io.containerd.runc.v2");
  container.mutable_spec()->set_type_url("types.containerd.io/opencontainers/runtime-spec/1/Spec");
  container.mutable_spec()->set_value(absl::StrCat(
      R"({"ociVersion":"1.0.2-dev","process":{"user":{"uid":0,"gid":0},"args":["/bin/sleep",)",
      R"("100000"],"cwd":"/"},"root":{"path":"rootfs"},"mounts":[],"linux":{"cgroupsPath":"/)",
      name, "/", id, R"(","namespaces":[{"type":"pid"},{"type":"mount"}]}})"));
  SetTime(absl::FromUnixSeconds(1'700'000'000), container.mutable_created_at());
  return container;
}

}  // namespace

FakeContainerd::FakeContainerd() : server_([this](FakeGrpcCall& call) { return Handle(call); }) {}

void FakeContainerd::Tell(const Id& id, const std::string& topic, const std::string& event) {
  ::containerd::types::Envelope envelope;
  SetTime(absl::Now(), envelope.mutable_timestamp());
  envelope.set_namespace_(id.first);
  envelope.set_topic(topic);
  // Without a slash, as containerd does.
  envelope.mutable_event()->set_type_url(absl::StrCat("containerd.events", topic));
  envelope.mutable_event()->set_value(event);
  TellStreams(envelope.SerializeAsString());
}

void FakeContainerd::Start(const Id& id) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_[id];
  if (known.container.id().empty()) known.container = NewContainer(id.first, id.second);
  known.process = processes_.Start();
  known.task.Clear();
  known.task.set_id(id.second);
  known.task.set_pid(static_cast<uint32_t>(known.process->pid()));
  known.task.set_status(kRunning);
  events::TaskStart event;
  event.set_container_id(id.second);
  event.set_pid(known.task.pid());
  Tell(id, "/tasks/start", event.SerializeAsString());
}

void FakeContainerd::Die(const Id& id, int exit_status) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_.at(id);
  events::TaskExit event;
  event.set_container_id(id.second);
  event.set_id(id.second);
  event.set_pid(known.task.pid());
  event.set_exit_status(static_cast<uint32_t>(exit_status));
  known.process->End();
  known.process = nullptr;
  Tell(id, "/tasks/exit", event.SerializeAsString());
}

void FakeContainerd::SetPaused(const Id& id, bool paused) {
  const absl::MutexLock lock(&mutex_);
  known_.at(id).task.set_status(paused ? kPaused : kRunning);
  events::TaskPaused event;
  event.set_container_id(id.second);
  Tell(id, paused ? "/tasks/paused" : "/tasks/resumed", event.SerializeAsString());
}

void FakeContainerd::SetLabel(const Id& id, const std::string& label, const std::string& value) {
  const absl::MutexLock lock(&mutex_);
  auto* const entry = known_.at(id).container.add_labels();
  entry->set_key(label);
  entry->set_value(value);
  events::ContainerUpdate event;
  event.set_id(id.second);
  Tell(id, "/containers/update", event.SerializeAsString());
}

void FakeContainerd::RunOutOfMemory(const Id& id) {
  const absl::MutexLock lock(&mutex_);
  events::TaskOOM event;
  event.set_container_id(id.second);
  Tell(id, "/tasks/oom", event.SerializeAsString());
}

void FakeContainerd::ExecExits(const Id& id) {
  const absl::MutexLock lock(&mutex_);
  events::TaskExit event;
  event.set_container_id(id.second);
  event.set_id("exec1");
  event.set_pid(99);
  Tell(id, "/tasks/exit", event.SerializeAsString());
}

void FakeContainerd::Remove(const Id& id) {
  const absl::MutexLock lock(&mutex_);
  known_.erase(id);
  events::ContainerDelete event;
  event.set_id(id.second);
  Tell(id, "/containers/delete", event.SerializeAsString());
}

void FakeContainerd::Edit(const Id& id, const std::function<void(containers::Container*)>& edit) {
  const absl::MutexLock lock(&mutex_);
  edit(&known_.at(id).container);
}

void FakeContainerd::EditTask(const Id& id, const std::function<void(tasks::Process*)>& edit) {
  const absl::MutexLock lock(&mutex_);
  edit(&known_.at(id).task);
}

absl::Status FakeContainerd::Handle(FakeGrpcCall& call) {
  BeginCall(call.method());
  if (const FakeGrpcServer::Handler answer = answers_.Find(call.method())) return answer(call);
  const auto is = [&call](const char* method) { return absl::EndsWith(call.method(), method); };
  if (is(".Events/Subscribe")) return ServeEvents(call);
  if (is(".Tasks/List")) return ServeTasks(call);
  if (is(".Tasks/Get")) return ServeTask(call);
  if (is(".Containers/List")) return ServeContainers(call, false);
  if (is(".Containers/ListStream")) return ServeContainers(call, true);
  if (is(".Containers/Get")) return ServeContainer(call);
  if (is(".Namespaces/List")) return ServeNamespaces(call);
  if (is(".Version/Version")) {
    ::containerd::services::version::v1::VersionResponse version;
    version.set_version("1.6.20~ds1");
    call.Send(version.SerializeAsString());
    return absl::OkStatus();
  }
  if (is(".Introspection/Server")) {
    ::containerd::services::introspection::v1::ServerResponse server;
    server.set_uuid("c686b515-0000");
    call.Send(server.SerializeAsString());
    return absl::OkStatus();
  }
  return absl::UnimplementedError(absl::StrCat("unknown method ", call.method()));
}

absl::Status FakeContainerd::ServeEvents(FakeGrpcCall& call) {
  ServeStream(
      Subscribe(), [&call] { return call.closed(); },
      [&call](const std::string& event) { return call.Send(event); });
  return absl::OkStatus();
}

absl::Status FakeContainerd::ServeNamespaces(FakeGrpcCall& call) {
  ::containerd::services::namespaces::v1::ListNamespacesResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    std::set<std::string> names;
    for (const auto& [id, known] : known_) names.insert(id.first);
    for (const std::string& name : names) response.add_namespaces()->set_name(name);
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeContainerd::ServeTasks(FakeGrpcCall& call) {
  const std::string name = call.Metadata("containerd-namespace");
  if (name.empty()) return absl::FailedPreconditionError("namespace is required");
  tasks::ListTasksResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, known] : known_) {
      if (id.first == name && known.process != nullptr) *response.add_tasks() = known.task;
    }
  }
  RunListHook();
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeContainerd::ServeTask(FakeGrpcCall& call) {
  tasks::GetRequest request;
  request.ParseFromString(call.message());
  tasks::GetResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find({call.Metadata("containerd-namespace"), request.container_id()});
    if (found == known_.end() || found->second.process == nullptr) {
      return absl::NotFoundError("no running task found: not found");
    }
    *response.mutable_process() = found->second.task;
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeContainerd::ServeContainers(FakeGrpcCall& call, bool stream) {
  const std::string name = call.Metadata("containerd-namespace");
  containers::ListContainersResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, known] : known_) {
      if (id.first == name) *response.add_containers() = known.container;
    }
  }
  if (!stream) {
    call.Send(response.SerializeAsString());
    return absl::OkStatus();
  }
  for (const containers::Container& container : response.containers()) {
    containers::ListContainerMessage message;
    *message.mutable_container() = container;
    if (!call.Send(message.SerializeAsString())) break;
  }
  return absl::OkStatus();
}

absl::Status FakeContainerd::ServeContainer(FakeGrpcCall& call) {
  containers::GetContainerRequest request;
  request.ParseFromString(call.message());
  containers::GetContainerResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find({call.Metadata("containerd-namespace"), request.id()});
    if (found == known_.end()) return absl::NotFoundError("container: not found");
    *response.mutable_container() = found->second.container;
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace nsctl::engines::containerd
