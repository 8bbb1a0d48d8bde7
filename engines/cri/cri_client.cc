#include "engines/cri/cri_client.h"

#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/cri/cri_messages.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"
#include "engines/grpc_client.h"
#include "engines/http_client.h"
#include "engines/protobuf_fields.h"
#include "engines/stop_signal.h"
#include "engines/stopped_rows.h"

namespace nsctl::engines::cri {
namespace {

namespace wire = ::runtime::v1;

// Of pods that are remembered.
constexpr size_t kMaxPods = 100'000;
constexpr absl::Duration kPoll = absl::Seconds(2);
// A runtime that has events switched off ends the stream at once.
constexpr absl::Duration kSwitchedOff = absl::Seconds(1);

class CriClient : public EngineClient {
 public:
  CriClient(Connector connect, absl::Duration poll) : grpc_(std::move(connect)), poll_(poll) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::Status ListStopped(const CallLimits& limits,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  bool replays() const override { return false; }

 private:
  using Pods = std::map<std::string, Pod>;

  GrpcRequest Request(absl::string_view method, std::string message) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  template <typename Response>
  absl::StatusOr<Response> Call(const GrpcRequest& request, const CallLimits& limits);
  absl::StatusOr<wire::VersionResponse> AskVersion(const CallLimits& limits)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // False where there are none to follow.
  absl::StatusOr<bool> FollowEvents(const CallLimits& limits, absl::FunctionRef<void()> subscribed,
                                    absl::FunctionRef<void(const EngineEvent&)> sink);
  absl::Status ListPods(const CallLimits& limits, absl::FunctionRef<absl::Status(EngineRow)> sink)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Without its pod's name.
  absl::StatusOr<EngineRow> InspectContainer(const ContainerId& container,
                                             const CallLimits& limits);
  absl::StatusOr<EngineRow> InspectSandbox(const std::string& id, const CallLimits& limits)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<Pod> FindPod(const std::string& id) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The row with its pod: as remembered, or asked for.
  void Complete(const CallLimits& limits, EngineRow* row) ABSL_LOCKS_EXCLUDED(mutex_);

  GrpcClient grpc_;
  const absl::Duration poll_;
  mutable absl::Mutex mutex_;
  std::string service_ ABSL_GUARDED_BY(mutex_) = "/runtime.v1.RuntimeService/";
  bool is_crio_ ABSL_GUARDED_BY(mutex_) = false;
  // By id: those that are ready, as last listed.
  Pods pods_ ABSL_GUARDED_BY(mutex_);
  // Of those, whose namespaces no process holds.
  std::set<std::string> without_process_ ABSL_GUARDED_BY(mutex_);
};

GrpcRequest CriClient::Request(absl::string_view method, std::string message) const {
  const absl::MutexLock lock(&mutex_);
  return {.method = absl::StrCat(service_, method), .message = std::move(message)};
}

template <typename Response>
absl::StatusOr<Response> CriClient::Call(const GrpcRequest& request, const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const std::string bytes, grpc_.Call(request, limits));
  Response response;
  NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &response));
  return response;
}

absl::StatusOr<wire::VersionResponse> CriClient::AskVersion(const CallLimits& limits) {
  wire::VersionRequest request;
  request.set_version("0.1.0");
  absl::Status refused;
  // The older one has the same messages.
  for (const char* package : {"v1", "v1alpha2"}) {
    {
      const absl::MutexLock lock(&mutex_);
      service_ = absl::StrCat("/runtime.", package, ".RuntimeService/");
    }
    auto version =
        Call<wire::VersionResponse>(Request("Version", request.SerializeAsString()), limits);
    if (version.ok() || !absl::IsUnimplemented(version.status())) return version;
    refused.Update(version.status());
  }
  return refused;
}

absl::StatusOr<Engine> CriClient::Identify(const CallLimits& limits) {
  // Who answers may be another process than before.
  grpc_.Reconnect();
  NSCTL_ASSIGN_OR_RETURN(const wire::VersionResponse version, AskVersion(limits));
  const bool is_crio = version.runtime_name() == "cri-o";
  {
    const absl::MutexLock lock(&mutex_);
    is_crio_ = is_crio;
  }
  Engine engine;
  engine.set_type(is_crio ? Engine::crio : Engine::cri);
  const std::string number = base::EncodeText(version.runtime_version());
  engine.set_version(is_crio ? number
                             : absl::StrCat(base::EncodeText(version.runtime_name()), " ", number));
  engine.set_api_version(base::EncodeText(version.runtime_api_version()));
  return engine;
}

absl::StatusOr<bool> CriClient::FollowEvents(const CallLimits& limits,
                                             absl::FunctionRef<void()> subscribed,
                                             absl::FunctionRef<void(const EngineEvent&)> sink) {
  CallLimits endless = limits;
  endless.deadline = absl::InfiniteFuture();
  endless.max_bytes = std::numeric_limits<size_t>::max();
  const absl::Time start = absl::Now();
  const auto sent = [&]() -> absl::Status {
    // Who answers what was asked after it has read the subscription.
    NSCTL_RETURN_IF_ERROR(AskVersion(limits).status());
    subscribed();
    return absl::OkStatus();
  };
  const absl::Status status = grpc_.Stream(
      Request("GetContainerEvents", ""), endless, sent, [&](absl::string_view message) {
        const std::optional<EngineEvent> event = EventOf(message);
        if (event.has_value()) sink(*event);
        return absl::OkStatus();
      });
  const bool switched_off = status.ok() && absl::Now() - start < kSwitchedOff;
  if (switched_off || absl::IsUnimplemented(status)) return false;
  NSCTL_RETURN_IF_ERROR(status);
  return true;
}

absl::Status CriClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                              absl::FunctionRef<void()> subscribed,
                              absl::FunctionRef<void(const EngineEvent&)> sink) {
  bool is_crio = false;
  {
    const absl::MutexLock lock(&mutex_);
    is_crio = is_crio_;
  }
  bool told = false;
  const auto subscribed_once = [&] {
    if (!std::exchange(told, true)) subscribed();
  };
  if (is_crio) {
    NSCTL_ASSIGN_OR_RETURN(const bool followed, FollowEvents(limits, subscribed_once, sink));
    if (followed) return absl::OkStatus();
  }
  subscribed_once();
  const StopSignal never;
  const StopSignal& stop = limits.stop == nullptr ? never : *limits.stop;
  EngineEvent maybe_more;
  maybe_more.kind = EngineEvent::Kind::kLost;
  while (!stop.requested()) {
    AwaitTime(absl::Now() + poll_, stop);
    sink(maybe_more);
  }
  return absl::CancelledError("stopped");
}

absl::Status CriClient::ListPods(const CallLimits& limits,
                                 absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const std::string list, grpc_.Call(Request("ListPodSandbox", ""), limits));
  std::set<std::string> without_process;
  {
    const absl::MutexLock lock(&mutex_);
    without_process = without_process_;
  }
  Pods pods;
  NSCTL_RETURN_IF_ERROR(VisitField(list, wire::ListPodSandboxResponse::kItemsFieldNumber,
                                   [&](absl::string_view bytes) -> absl::Status {
                                     wire::PodSandbox sandbox;
                                     NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &sandbox));
                                     NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfSandbox(sandbox));
                                     if (!IsAlive(row.container.state())) return absl::OkStatus();
                                     if (pods.size() >= kMaxPods) {
                                       return absl::ResourceExhaustedError(
                                           absl::StrCat("lists more than ", kMaxPods, " pods"));
                                     }
                                     pods[row.pod->id()] = *row.pod;
                                     if (without_process.count(row.container.id()) > 0)
                                       return absl::OkStatus();
                                     return sink(std::move(row));
                                   }));
  const absl::MutexLock lock(&mutex_);
  pods_ = std::move(pods);
  for (auto id = without_process_.begin(); id != without_process_.end();) {
    id = pods_.count(*id) > 0 ? std::next(id) : without_process_.erase(id);
  }
  return absl::OkStatus();
}

absl::Status CriClient::List(const CallLimits& limits,
                             absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_RETURN_IF_ERROR(ListPods(limits, sink));
  // Without a filter: one that was frozen is in no state of the interface's.
  NSCTL_ASSIGN_OR_RETURN(const std::string list, grpc_.Call(Request("ListContainers", ""), limits));
  return VisitField(list, wire::ListContainersResponse::kContainersFieldNumber,
                    [&](absl::string_view bytes) -> absl::Status {
                      wire::Container container;
                      NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &container));
                      NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfContainer(container));
                      const Container::State state = row.container.state();
                      if (state == Container::created || state == Container::exited)
                        return absl::OkStatus();
                      if (const auto pod = FindPod(row.container.pod()); pod.has_value())
                        row.pod = *pod;
                      return sink(std::move(row));
                    });
}

absl::Status CriClient::ListStopped(const CallLimits& limits,
                                    absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const std::string pods, grpc_.Call(Request("ListPodSandbox", ""), limits));
  Pods known;
  NSCTL_RETURN_IF_ERROR(VisitField(pods, wire::ListPodSandboxResponse::kItemsFieldNumber,
                                   [&](absl::string_view bytes) -> absl::Status {
                                     wire::PodSandbox sandbox;
                                     NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &sandbox));
                                     NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfSandbox(sandbox));
                                     if (known.size() < kMaxPods) known[row.pod->id()] = *row.pod;
                                     return IsAlive(row.container.state()) ? absl::OkStatus()
                                                                           : sink(std::move(row));
                                   }));
  NSCTL_ASSIGN_OR_RETURN(const std::string list, grpc_.Call(Request("ListContainers", ""), limits));
  std::vector<EngineRow> rows;
  NSCTL_RETURN_IF_ERROR(VisitField(list, wire::ListContainersResponse::kContainersFieldNumber,
                                   [&](absl::string_view bytes) -> absl::Status {
                                     wire::Container container;
                                     NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &container));
                                     NSCTL_ASSIGN_OR_RETURN(EngineRow row,
                                                            RowOfContainer(container));
                                     const Container::State state = row.container.state();
                                     if (state != Container::created && state != Container::exited)
                                       return absl::OkStatus();
                                     if (rows.size() >= kMaxPods) {
                                       return absl::ResourceExhaustedError(absl::StrCat(
                                           "lists more than ", kMaxPods, " stopped containers"));
                                     }
                                     rows.push_back(std::move(row));
                                     return absl::OkStatus();
                                   }));
  return GiveInspected(
      std::move(rows), limits, [&](const ContainerId& id) { return InspectContainer(id, limits); },
      [&](EngineRow row) {
        const auto pod = known.find(row.container.pod());
        if (pod != known.end()) row.pod = pod->second;
        return sink(std::move(row));
      });
}

absl::StatusOr<EngineRow> CriClient::InspectContainer(const ContainerId& container,
                                                      const CallLimits& limits) {
  const std::optional<std::string> id = base::DecodeText(container.id);
  if (!id.has_value() || id->empty()) return absl::NotFoundError("an id that is none");
  wire::ContainerStatusRequest request;
  request.set_container_id(*id);
  request.set_verbose(true);
  NSCTL_ASSIGN_OR_RETURN(const auto response,
                         Call<wire::ContainerStatusResponse>(
                             Request("ContainerStatus", request.SerializeAsString()), limits));
  if (response.status().id() != *id) {
    return absl::DataLossError("the answer is of another container");
  }
  return RowOfStatus(response);
}

absl::StatusOr<EngineRow> CriClient::InspectSandbox(const std::string& id,
                                                    const CallLimits& limits) {
  wire::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(id);
  request.set_verbose(true);
  NSCTL_ASSIGN_OR_RETURN(const auto response,
                         Call<wire::PodSandboxStatusResponse>(
                             Request("PodSandboxStatus", request.SerializeAsString()), limits));
  if (response.status().id() != id) return absl::DataLossError("the answer is of another pod");
  NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfSandboxStatus(response));
  const absl::MutexLock lock(&mutex_);
  if (pods_.size() < kMaxPods) pods_[row.pod->id()] = *row.pod;
  if (!IsAlive(row.container.state())) without_process_.insert(row.container.id());
  return row;
}

absl::StatusOr<EngineRow> CriClient::Inspect(const ContainerId& container,
                                             const CallLimits& limits) {
  const std::optional<std::string> id = base::DecodeText(container.id);
  if (!id.has_value() || id->empty()) return absl::NotFoundError("an id that is none");
  if (FindPod(container.id).has_value()) return InspectSandbox(*id, limits);
  absl::StatusOr<EngineRow> row = InspectContainer(container, limits);
  // Events tell of pods that are new as well.
  if (absl::IsNotFound(row.status())) return InspectSandbox(*id, limits);
  if (row.ok()) Complete(limits, &*row);
  return row;
}

std::optional<Pod> CriClient::FindPod(const std::string& id) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = pods_.find(id);
  return found == pods_.end() ? std::nullopt : std::optional<Pod>(found->second);
}

void CriClient::Complete(const CallLimits& limits, EngineRow* row) {
  if (!row->pod.has_value()) return;
  if (const auto pod = FindPod(row->pod->id()); pod.has_value()) {
    row->pod = *pod;
    return;
  }
  const std::optional<std::string> id = base::DecodeText(row->pod->id());
  if (!id.has_value()) return;
  // The container counts, with or without its pod's name.
  absl::StatusOr<EngineRow> sandbox = InspectSandbox(*id, limits);
  if (sandbox.ok()) row->pod = std::move(sandbox->pod);
}

}  // namespace

std::unique_ptr<EngineClient> MakeCriClient(Connector connect) {
  return MakeCriClient(std::move(connect), kPoll);
}

std::unique_ptr<EngineClient> MakeCriClient(Connector connect, absl::Duration poll) {
  return std::make_unique<CriClient>(std::move(connect), poll);
}

}  // namespace nsctl::engines::cri
