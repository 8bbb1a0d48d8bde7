#include "engines/containerd/containerd_client.h"

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
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
#include "engines/containerd/containerd_messages.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/events_service.pb.h"
#include "engines/containerd/introspection.pb.h"
#include "engines/containerd/namespaces.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/containerd/version.pb.h"
#include "engines/cri/cri_messages.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"
#include "engines/grpc_client.h"
#include "engines/http_client.h"
#include "engines/protobuf_fields.h"

namespace nsctl::engines::containerd {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace events = ::containerd::services::events::v1;
namespace introspection = ::containerd::services::introspection::v1;
namespace namespaces = ::containerd::services::namespaces::v1;
namespace tasks = ::containerd::services::tasks::v1;
namespace version = ::containerd::services::version::v1;

// Of tasks in one namespace.
constexpr size_t kMaxTasks = 100'000;
// Of pods whose names are remembered.
constexpr size_t kMaxPods = 10'000;

// How so many containers of Kubernetes ended is asked, one call for each.
constexpr size_t kMaxAsked = 1'000;

constexpr char kVersion[] = "/containerd.services.version.v1.Version/Version";

// A request to what answers for one namespace, given as containerd spells it.
GrpcRequest InNamespace(const std::string& name, absl::string_view method, std::string message) {
  return {.method = absl::StrCat("/containerd.services.", method),
          .message = std::move(message),
          .metadata = {{"containerd-namespace", name}}};
}

// Kubernetes' interface is switched off, or does not answer.
bool IsNoService(const absl::Status& status) {
  return absl::IsUnimplemented(status) || absl::IsUnavailable(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsCancelled(status);
}

class ContainerdClient : public EngineClient {
 public:
  explicit ContainerdClient(Connector connect) : grpc_(std::move(connect)) {}

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
  using Tasks = std::map<std::string, tasks::Process>;

  template <typename Response>
  absl::StatusOr<Response> Call(const GrpcRequest& request, const CallLimits& limits);
  absl::Status VisitNamespaces(const CallLimits& limits,
                               absl::FunctionRef<absl::Status(const std::string&)> visit);
  // Those that `is_wanted`.
  absl::StatusOr<Tasks> ListTasks(const std::string& name, const CallLimits& limits,
                                  absl::FunctionRef<bool(const tasks::Process&)> is_wanted);
  absl::Status VisitContainers(const std::string& name, const CallLimits& limits,
                               absl::FunctionRef<absl::Status(absl::string_view)> visit);
  absl::Status ListNamespace(const std::string& name, const CallLimits& limits,
                             absl::FunctionRef<absl::Status(EngineRow)> sink);
  absl::Status ListStoppedOf(const std::string& name, const CallLimits& limits,
                             absl::FunctionRef<absl::Status(EngineRow)> sink);
  // Asks Kubernetes' interface how `container`, which has no task any more, ended. Errors: those of
  // the call.
  absl::Status AskHowItEnded(const CallLimits& limits, Container* container);
  absl::StatusOr<containers::Container> GetContainer(const std::string& name, const std::string& id,
                                                     const CallLimits& limits);

  void Remember(const Pod& pod) ABSL_LOCKS_EXCLUDED(mutex_);
  // The row with its pod as the pod's sandbox shows it: as remembered, or asked for.
  void Complete(const CallLimits& limits, EngineRow* row) ABSL_LOCKS_EXCLUDED(mutex_);

  GrpcClient grpc_;
  absl::Mutex mutex_;
  std::map<ContainerId, Pod> pods_ ABSL_GUARDED_BY(mutex_);
};

template <typename Response>
absl::StatusOr<Response> ContainerdClient::Call(const GrpcRequest& request,
                                                const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const std::string bytes, grpc_.Call(request, limits));
  Response response;
  NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &response));
  return response;
}

absl::StatusOr<Engine> ContainerdClient::Identify(const CallLimits& limits) {
  // Who answers may be another process than before.
  grpc_.Reconnect();
  NSCTL_ASSIGN_OR_RETURN(const auto who,
                         Call<version::VersionResponse>({.method = kVersion}, limits));
  Engine engine;
  engine.set_type(Engine::containerd);
  engine.set_version(base::EncodeText(who.version()));
  engine.set_api_version("v1");
  const auto server = Call<introspection::ServerResponse>(
      {.method = "/containerd.services.introspection.v1.Introspection/Server"}, limits);
  // Not in all versions.
  if (!server.ok() && !absl::IsUnimplemented(server.status())) return server.status();
  if (server.ok()) engine.set_id(base::EncodeText(server->uuid()));
  return engine;
}

absl::Status ContainerdClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                                     absl::FunctionRef<void()> subscribed,
                                     absl::FunctionRef<void(const EngineEvent&)> sink) {
  events::SubscribeRequest request;
  for (const std::string& filter : EventFilters()) request.add_filters(filter);
  CallLimits endless = limits;
  endless.deadline = absl::InfiniteFuture();
  endless.max_bytes = std::numeric_limits<size_t>::max();
  const auto sent = [&]() -> absl::Status {
    // The stream is silent until something happens. Who answers what was asked after it has read
    // the subscription.
    NSCTL_RETURN_IF_ERROR(grpc_.Call({.method = kVersion}, limits).status());
    subscribed();
    return absl::OkStatus();
  };
  EventReader reader;
  return grpc_.Stream({.method = "/containerd.services.events.v1.Events/Subscribe",
                       .message = request.SerializeAsString()},
                      endless, sent, [&](absl::string_view envelope) {
                        const std::optional<EngineEvent> event = reader.Read(envelope);
                        if (event.has_value()) sink(*event);
                        return absl::OkStatus();
                      });
}

absl::Status ContainerdClient::VisitNamespaces(
    const CallLimits& limits, absl::FunctionRef<absl::Status(const std::string&)> visit) {
  NSCTL_ASSIGN_OR_RETURN(
      const std::string list,
      grpc_.Call({.method = "/containerd.services.namespaces.v1.Namespaces/List"}, limits));
  return VisitField(list, namespaces::ListNamespacesResponse::kNamespacesFieldNumber,
                    [&](absl::string_view bytes) -> absl::Status {
                      namespaces::Namespace one;
                      NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &one));
                      return visit(one.name());
                    });
}

absl::Status ContainerdClient::List(const CallLimits& limits,
                                    absl::FunctionRef<absl::Status(EngineRow)> sink) {
  return VisitNamespaces(
      limits, [&](const std::string& name) { return ListNamespace(name, limits, sink); });
}

absl::Status ContainerdClient::ListStopped(const CallLimits& limits,
                                           absl::FunctionRef<absl::Status(EngineRow)> sink) {
  return VisitNamespaces(
      limits, [&](const std::string& name) { return ListStoppedOf(name, limits, sink); });
}

absl::StatusOr<ContainerdClient::Tasks> ContainerdClient::ListTasks(
    const std::string& name, const CallLimits& limits,
    absl::FunctionRef<bool(const tasks::Process&)> is_wanted) {
  NSCTL_ASSIGN_OR_RETURN(const std::string list,
                         grpc_.Call(InNamespace(name, "tasks.v1.Tasks/List", ""), limits));
  Tasks wanted;
  NSCTL_RETURN_IF_ERROR(VisitField(list, tasks::ListTasksResponse::kTasksFieldNumber,
                                   [&](absl::string_view bytes) -> absl::Status {
                                     tasks::Process task;
                                     NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &task));
                                     if (!is_wanted(task)) return absl::OkStatus();
                                     if (wanted.size() >= kMaxTasks) {
                                       return absl::ResourceExhaustedError(
                                           absl::StrCat("lists more than ", kMaxTasks, " tasks"));
                                     }
                                     wanted.try_emplace(task.id(), task);
                                     return absl::OkStatus();
                                   }));
  return wanted;
}

absl::Status ContainerdClient::VisitContainers(
    const std::string& name, const CallLimits& limits,
    absl::FunctionRef<absl::Status(absl::string_view)> visit) {
  const auto each = [&visit](int field) {
    return [field, &visit](absl::string_view list) { return VisitField(list, field, visit); };
  };
  absl::Status streamed = grpc_.Stream(
      InNamespace(name, "containers.v1.Containers/ListStream", ""), limits,
      [] { return absl::OkStatus(); },
      each(containers::ListContainerMessage::kContainerFieldNumber));
  if (!absl::IsUnimplemented(streamed)) return streamed;
  // Not in all versions; this has a limit of the server's for all containers together.
  NSCTL_ASSIGN_OR_RETURN(
      const std::string list,
      grpc_.Call(InNamespace(name, "containers.v1.Containers/List", ""), limits));
  return each(containers::ListContainersResponse::kContainersFieldNumber)(list);
}

absl::Status ContainerdClient::ListNamespace(const std::string& name, const CallLimits& limits,
                                             absl::FunctionRef<absl::Status(EngineRow)> sink) {
  // In this order, each task's container is there unless it was removed since.
  NSCTL_ASSIGN_OR_RETURN(const Tasks alive, ListTasks(name, limits, MayBeAlive));
  if (alive.empty()) return absl::OkStatus();
  const std::string native_namespace = base::EncodeText(name);
  std::vector<EngineRow> rows;
  NSCTL_RETURN_IF_ERROR(VisitContainers(name, limits, [&](absl::string_view bytes) -> absl::Status {
    containers::Container container;
    NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &container));
    const auto task = alive.find(container.id());
    if (task == alive.end()) return absl::OkStatus();
    NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOf(native_namespace, container, &task->second));
    if (row.container.sandbox() && row.pod.has_value()) Remember(*row.pod);
    rows.push_back(std::move(row));
    if (rows.size() <= kMaxTasks) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("lists more than ", kMaxTasks, " containers"));
  }));
  for (EngineRow& row : rows) {
    Complete(limits, &row);
    NSCTL_RETURN_IF_ERROR(sink(std::move(row)));
  }
  return absl::OkStatus();
}

absl::Status ContainerdClient::ListStoppedOf(const std::string& name, const CallLimits& limits,
                                             absl::FunctionRef<absl::Status(EngineRow)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const Tasks tasks,
                         ListTasks(name, limits, [](const tasks::Process&) { return true; }));
  const std::string native_namespace = base::EncodeText(name);
  // Of Kubernetes: who made it took its task away.
  std::vector<EngineRow> without_task;
  NSCTL_RETURN_IF_ERROR(VisitContainers(name, limits, [&](absl::string_view bytes) -> absl::Status {
    containers::Container container;
    NSCTL_RETURN_IF_ERROR(ParseMessage(bytes, &container));
    const auto task = tasks.find(container.id());
    if (task != tasks.end() && MayBeAlive(task->second)) return absl::OkStatus();
    NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOf(native_namespace, container,
                                                task == tasks.end() ? nullptr : &task->second));
    if (task != tasks.end()) return sink(std::move(row));
    // Made and not started, as far as containerd knows.
    if (!row.pod.has_value()) row.container.set_state(Container::created);
    const bool is_asked = row.pod.has_value() && !row.container.sandbox();
    if (!is_asked || without_task.size() >= kMaxAsked) return sink(std::move(row));
    without_task.push_back(std::move(row));
    return absl::OkStatus();
  }));
  // Half of the time is for what is told without that interface.
  CallLimits asked = limits;
  asked.deadline = absl::Now() + (limits.deadline - absl::Now()) / 2;
  bool is_answered = true;
  for (EngineRow& row : without_task) {
    is_answered = is_answered && !IsNoService(AskHowItEnded(asked, &row.container));
    NSCTL_RETURN_IF_ERROR(sink(std::move(row)));
  }
  return absl::OkStatus();
}

absl::Status ContainerdClient::AskHowItEnded(const CallLimits& limits, Container* container) {
  const std::optional<std::string> id = base::DecodeText(container->id());
  if (!id.has_value()) return absl::NotFoundError("an id that is none");
  ::runtime::v1::ContainerStatusRequest request;
  request.set_container_id(*id);
  NSCTL_ASSIGN_OR_RETURN(const auto response,
                         Call<::runtime::v1::ContainerStatusResponse>(
                             {.method = "/runtime.v1.RuntimeService/ContainerStatus",
                              .message = request.SerializeAsString()},
                             limits));
  if (response.status().id() != *id) {
    return absl::DataLossError("the answer is of another container");
  }
  NSCTL_ASSIGN_OR_RETURN(const EngineRow row, cri::RowOfStatus(response));
  const Container& said = row.container;
  if (IsAlive(said.state())) return absl::OkStatus();
  container->set_state(said.state());
  if (said.has_exit_code()) container->set_exit_code(said.exit_code());
  if (said.has_oom_killed()) container->set_oom_killed(said.oom_killed());
  if (said.has_started_at()) *container->mutable_started_at() = said.started_at();
  if (said.has_finished_at()) *container->mutable_finished_at() = said.finished_at();
  return absl::OkStatus();
}

absl::StatusOr<containers::Container> ContainerdClient::GetContainer(const std::string& name,
                                                                     const std::string& id,
                                                                     const CallLimits& limits) {
  containers::GetContainerRequest request;
  request.set_id(id);
  NSCTL_ASSIGN_OR_RETURN(
      auto response,
      Call<containers::GetContainerResponse>(
          InNamespace(name, "containers.v1.Containers/Get", request.SerializeAsString()), limits));
  if (response.container().id() != id) {
    return absl::DataLossError("the answer is of another container");
  }
  return std::move(*response.mutable_container());
}

absl::StatusOr<EngineRow> ContainerdClient::Inspect(const ContainerId& container,
                                                    const CallLimits& limits) {
  const std::optional<std::string> name = base::DecodeText(container.native_namespace);
  const std::optional<std::string> id = base::DecodeText(container.id);
  if (!name.has_value() || !id.has_value() || id->empty()) {
    return absl::NotFoundError("an id that is none");
  }
  tasks::GetRequest request;
  request.set_container_id(*id);
  const auto task = Call<tasks::GetResponse>(
      InNamespace(*name, "tasks.v1.Tasks/Get", request.SerializeAsString()), limits);
  // Containers may be without.
  if (!task.ok() && !absl::IsNotFound(task.status())) return task.status();
  NSCTL_ASSIGN_OR_RETURN(const containers::Container found, GetContainer(*name, *id, limits));
  NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOf(container.native_namespace, found,
                                              task.ok() ? &task->process() : nullptr));
  // It may run on; who watches its process knows better.
  if (row.partial) return absl::UnavailableError("the container's shim does not answer");
  if (row.container.sandbox() && row.pod.has_value()) Remember(*row.pod);
  Complete(limits, &row);
  return row;
}

void ContainerdClient::Remember(const Pod& pod) {
  const absl::MutexLock lock(&mutex_);
  if (pods_.size() >= kMaxPods) pods_.clear();
  pods_[{pod.native_namespace(), pod.id()}] = pod;
}

void ContainerdClient::Complete(const CallLimits& limits, EngineRow* row) {
  if (!row->pod.has_value() || row->container.sandbox()) return;
  const ContainerId sandbox = {row->pod->native_namespace(), row->pod->id()};
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = pods_.find(sandbox);
    if (found != pods_.end()) {
      *row->pod = found->second;
      return;
    }
  }
  const std::optional<std::string> name = base::DecodeText(sandbox.native_namespace);
  const std::optional<std::string> id = base::DecodeText(sandbox.id);
  if (!name.has_value() || !id.has_value()) return;
  // The container counts, with or without all that is known of its pod.
  const auto container = GetContainer(*name, *id, limits);
  if (!container.ok()) return;
  absl::StatusOr<EngineRow> whole = RowOf(sandbox.native_namespace, *container, nullptr);
  if (!whole.ok() || !whole->container.sandbox() || !whole->pod.has_value()) return;
  Remember(*whole->pod);
  row->pod = *std::move(whole->pod);
}

}  // namespace

std::unique_ptr<EngineClient> MakeContainerdClient(Connector connect) {
  return std::make_unique<ContainerdClient>(std::move(connect));
}

}  // namespace nsctl::engines::containerd
