#include "engines/cri/fake_cri.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/cri/runtime.pb.h"

namespace nsctl::engines::cri {
namespace {

namespace wire = ::runtime::v1;

constexpr int kRunning = 1;
constexpr int kExited = 2;

constexpr int kStarted = 1;
constexpr int kStopped = 2;
constexpr int kDeleted = 3;

template <typename Entries>
void AddEntry(const std::string& key, const std::string& value, Entries* entries) {
  auto* const entry = entries->Add();
  entry->set_key(key);
  entry->set_value(value);
}

template <typename Sandbox>
void SetPod(const std::string& id, bool ready, Sandbox* sandbox) {
  sandbox->set_id(id);
  sandbox->mutable_metadata()->set_name(absl::StrCat("pod-", id));
  sandbox->mutable_metadata()->set_namespace_("shop");
  sandbox->mutable_metadata()->set_uid(absl::StrCat("uid-", id));
  sandbox->set_state(ready ? 0 : 1);
  sandbox->set_created_at(1'700'000'000'000'000'000);
  AddEntry("app", "web", sandbox->mutable_labels());
  AddEntry("note", "of the pod", sandbox->mutable_annotations());
}

}  // namespace

FakeCri::FakeCri(std::string runtime_name)
    : runtime_name_(std::move(runtime_name)),
      server_([this](FakeGrpcCall& call) { return Handle(call); }) {}

void FakeCri::Tell(const std::string& id, int type) {
  wire::ContainerEventResponse event;
  event.set_container_id(id);
  event.set_container_event_type(type);
  event.set_created_at(absl::ToUnixNanos(absl::Now()));
  if (const auto found = known_.find(id); found != known_.end()) {
    *event.add_containers_statuses() = found->second.status;
  }
  TellStreams(event.SerializeAsString());
}

void FakeCri::StartPod(const std::string& id, bool with_process) {
  const absl::MutexLock lock(&mutex_);
  pods_[id] = {.ready = true, .process = with_process ? processes_.Start() : nullptr};
  Tell(id, kStarted);
}

void FakeCri::StopPod(const std::string& id) {
  const absl::MutexLock lock(&mutex_);
  KnownPod& pod = pods_.at(id);
  pod.ready = false;
  if (pod.process != nullptr) pod.process->End();
  pod.process = nullptr;
  Tell(id, kStopped);
}

void FakeCri::Start(const std::string& id, const std::string& pod) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_[id];
  known.pod = pod;
  known.process = processes_.Start();
  known.status.set_id(id);
  known.status.mutable_metadata()->set_name(absl::StrCat("name-", id));
  known.status.set_state(kRunning);
  known.status.set_created_at(1'700'000'000'000'000'000);
  known.status.set_started_at(absl::ToUnixNanos(absl::Now()));
  known.status.mutable_image()->set_image("busybox:1");
  Tell(id, kStarted);
}

void FakeCri::Die(const std::string& id, int exit_code) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_.at(id);
  known.process->End();
  known.process = nullptr;
  known.status.set_state(kExited);
  known.status.set_exit_code(exit_code);
  known.status.set_finished_at(absl::ToUnixNanos(absl::Now()));
  Tell(id, kStopped);
}

void FakeCri::Remove(const std::string& id) {
  const absl::MutexLock lock(&mutex_);
  known_.erase(id);
  Tell(id, kDeleted);
}

void FakeCri::SetLabel(const std::string& id, const std::string& label, const std::string& value) {
  const absl::MutexLock lock(&mutex_);
  AddEntry(label, value, known_.at(id).status.mutable_labels());
}

void FakeCri::SwitchEventsOff() {
  const absl::MutexLock lock(&mutex_);
  events_off_ = true;
}

absl::Status FakeCri::Handle(FakeGrpcCall& call) {
  BeginCall(call.method());
  if (const FakeGrpcServer::Handler answer = answers_.Find(call.method())) return answer(call);
  const auto is = [&call](const char* method) { return absl::EndsWith(call.method(), method); };
  if (is("/Version")) return ServeVersion(call);
  if (is("/GetContainerEvents")) return ServeEvents(call);
  if (is("/ListPodSandbox")) return ServePods(call);
  if (is("/PodSandboxStatus")) return ServePod(call);
  if (is("/ListContainers")) return ServeContainers(call);
  if (is("/ContainerStatus")) return ServeContainer(call);
  return absl::UnimplementedError(absl::StrCat("unknown method ", call.method()));
}

absl::Status FakeCri::ServeVersion(FakeGrpcCall& call) const {
  wire::VersionResponse version;
  version.set_version("0.1.0");
  version.set_runtime_name(runtime_name_);
  version.set_runtime_version("1.28.0");
  version.set_runtime_api_version("v1");
  call.Send(version.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeCri::ServeEvents(FakeGrpcCall& call) {
  {
    const absl::MutexLock lock(&mutex_);
    if (events_off_) return absl::OkStatus();
  }
  ServeStream(
      Subscribe(), [&call] { return call.closed(); },
      [&call](const std::string& event) { return call.Send(event); });
  return absl::OkStatus();
}

absl::Status FakeCri::ServePods(FakeGrpcCall& call) {
  wire::ListPodSandboxResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, pod] : pods_) SetPod(id, pod.ready, response.add_items());
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeCri::ServePod(FakeGrpcCall& call) {
  wire::PodSandboxStatusRequest request;
  request.ParseFromString(call.message());
  wire::PodSandboxStatusResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = pods_.find(std::string(request.pod_sandbox_id()));
    if (found == pods_.end()) return absl::NotFoundError("no such pod");
    SetPod(found->first, found->second.ready, response.mutable_status());
    const auto& process = found->second.process;
    const std::string info =
        process == nullptr
            ? R"({"runtimeSpec":{}})"
            : absl::StrCat(R"({"image":"pause","pid":)", process->pid(), R"(,"runtimeSpec":{}})");
    AddEntry("info", info, response.mutable_info());
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeCri::ServeContainers(FakeGrpcCall& call) {
  wire::ListContainersResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, known] : known_) {
      wire::Container* const container = response.add_containers();
      container->set_id(id);
      container->set_pod_sandbox_id(known.pod);
      *container->mutable_metadata() = known.status.metadata();
      container->set_state(known.status.state());
      container->set_created_at(known.status.created_at());
      *container->mutable_image() = known.status.image();
      *container->mutable_labels() = known.status.labels();
    }
  }
  RunListHook();
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

absl::Status FakeCri::ServeContainer(FakeGrpcCall& call) {
  wire::ContainerStatusRequest request;
  request.ParseFromString(call.message());
  wire::ContainerStatusResponse response;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find(std::string(request.container_id()));
    if (found == known_.end()) return absl::NotFoundError("no such container");
    const Known& known = found->second;
    *response.mutable_status() = known.status;
    const int pid = known.process == nullptr ? 0 : known.process->pid();
    AddEntry("info",
             absl::StrCat(R"({"sandboxID":")", known.pod, R"(","pid":)", pid,
                          R"(,"privileged":false,"runtimeSpec":{"linux":{"cgroupsPath":)",
                          R"("kubepods.slice:crio:)", found->first, R"("}}})"),
             response.mutable_info());
  }
  call.Send(response.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace nsctl::engines::cri
