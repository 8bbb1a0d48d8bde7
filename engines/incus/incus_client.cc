#include "engines/incus/incus_client.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/http_json.h"
#include "engines/incus/incus_messages.h"
#include "engines/incus/instance_index.h"
#include "engines/json_text.h"
#include "engines/stop_signal.h"
#include "engines/web_socket.h"

namespace nsctl::engines::incus {
namespace {

constexpr char kEvents[] = "/1.0/events";
// Both have names of 63 bytes at most. What is longer is no instance's.
constexpr size_t kMaxName = 1024;
// For the question which container an event is about.
constexpr absl::Duration kNameTimeout = absl::Seconds(5);
// The ping is sent right behind the answer.
constexpr absl::Duration kPingTimeout = absl::Milliseconds(500);

class IncusClient : public EngineClient {
 public:
  explicit IncusClient(Connector connect) : connect_(std::move(connect)) {}

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
  // Whether a ping says that it is subscribed.
  bool replays() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    return pings_;
  }

 private:
  // The metadata of an answer.
  absl::StatusOr<Json> Get(const std::string& target, const CallLimits& limits) const;
  absl::StatusOr<Instance> GetInstance(const InstanceName& name, absl::string_view query,
                                       const CallLimits& limits) const;
  bool IsHere(const std::string& location) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsTold(const Instance& instance) const;
  // Calls `sink` for those whose states are wanted; `recursion`: 2 with PIDs, 1 without.
  absl::Status ListInstances(const CallLimits& limits, absl::string_view recursion,
                             absl::FunctionRef<bool(Container::State)> is_wanted,
                             absl::FunctionRef<absl::Status(EngineRow)> sink);
  // The container's id; empty where it is none of those that are told.
  std::string Learn(const Instance& instance, uint64_t asked);
  // What the event says of a container; nullopt where it is about none.
  std::optional<EngineEvent> Translate(const InstanceEvent& event, const StopSignal* stop);
  // Of a message of the stream; `last`: the time of the last event.
  std::optional<EngineEvent> Read(absl::string_view message, absl::Time* last,
                                  const StopSignal* stop);

  const Connector connect_;
  InstanceIndex index_;
  mutable absl::Mutex mutex_;
  // The server's name in its cluster.
  std::string location_ ABSL_GUARDED_BY(mutex_);
  // Until one is missed.
  bool pings_ ABSL_GUARDED_BY(mutex_) = true;
};

absl::StatusOr<Json> IncusClient::Get(const std::string& target, const CallLimits& limits) const {
  NSCTL_ASSIGN_OR_RETURN(const Json json, GetJson(connect_, target, limits));
  return Member(json, "metadata");
}

absl::StatusOr<Instance> IncusClient::GetInstance(const InstanceName& name, absl::string_view query,
                                                  const CallLimits& limits) const {
  const std::optional<std::string> path = InstancePath(name);
  if (!path.has_value()) return absl::NotFoundError("a name that is none");
  NSCTL_ASSIGN_OR_RETURN(const Json json, Get(absl::StrCat(*path, query), limits));
  NSCTL_ASSIGN_OR_RETURN(Instance instance, InstanceOf(json));
  if (instance.name != name) return absl::DataLossError("the answer is of another instance");
  return instance;
}

bool IncusClient::IsHere(const std::string& location) const {
  const absl::MutexLock lock(&mutex_);
  return location_.empty() || location.empty() || location == location_;
}

bool IncusClient::IsTold(const Instance& instance) const {
  return !instance.is_machine && IsHere(instance.location);
}

std::string IncusClient::Learn(const Instance& instance, uint64_t asked) {
  std::string id = IsTold(instance) ? instance.row.container.id() : "";
  if (instance.name.name.size() <= kMaxName && instance.name.project.size() <= kMaxName) {
    index_.Learn(instance.name, id, asked);
  }
  return id;
}

absl::StatusOr<Engine> IncusClient::Identify(const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const Json json, Get("/1.0", limits));
  NSCTL_ASSIGN_OR_RETURN(Server server, ServerOf(json));
  const absl::MutexLock lock(&mutex_);
  location_ = std::move(server.location);
  return std::move(server.engine);
}

std::optional<EngineEvent> IncusClient::Translate(const InstanceEvent& event,
                                                  const StopSignal* stop) {
  using Kind = EngineEvent::Kind;
  EngineEvent told = {.kind = event.kind, .time = event.time};
  if (event.kind == Kind::kLost) return told;
  if (!IsHere(event.location)) return std::nullopt;
  const EngineEvent lost = {.kind = Kind::kLost};
  const InstanceName& name = event.instance;
  if (name.name.size() > kMaxName || name.project.size() > kMaxName) return lost;
  std::optional<std::string> id = index_.IdOf(name);
  if (event.names_anew) {
    index_.Forget(name);
    if (event.old_name.has_value() && event.old_name->size() <= kMaxName) {
      index_.Forget({.project = name.project, .name = *event.old_name});
    }
    if (event.kind != Kind::kRemoved) id.reset();
  }
  if (!id.has_value()) {
    // Of what was never heard of, the end is no news.
    if (event.kind == Kind::kRemoved || event.kind == Kind::kExited) return std::nullopt;
    const uint64_t asked = index_.Now();
    const absl::StatusOr<Instance> instance =
        GetInstance(name, "", {.deadline = absl::Now() + kNameTimeout, .stop = stop});
    if (absl::IsNotFound(instance.status())) return std::nullopt;
    if (!instance.ok()) return lost;
    id = Learn(*instance, asked);
  }
  if (id->empty()) return std::nullopt;
  told.container = {.native_namespace = name.project, .id = *std::move(id)};
  told.name = name.name;
  return told;
}

std::optional<EngineEvent> IncusClient::Read(absl::string_view message, absl::Time* last,
                                             const StopSignal* stop) {
  using Kind = EngineEvent::Kind;
  const EngineEvent lost = {.kind = Kind::kLost};
  const absl::StatusOr<Json> json = ParseJson(message);
  if (!json.ok()) return lost;
  const std::optional<InstanceEvent> event = EventOf(*json);
  if (!event.has_value()) return std::nullopt;
  std::optional<EngineEvent> told = Translate(*event, stop);
  // They are sent in no order: what came before another one may be told after it.
  const bool is_late = event->time < *last;
  *last = std::max(*last, event->time);
  if (told.has_value() && is_late &&
      (told->kind == Kind::kPaused || told->kind == Kind::kUnpaused)) {
    told->kind = Kind::kUpdated;
    told->time = absl::InfinitePast();
  }
  return told;
}

absl::Status IncusClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                                absl::FunctionRef<void()> subscribed,
                                absl::FunctionRef<void(const EngineEvent&)> sink) {
  const auto fail = [](const absl::Status& status) { return base::Annotate(status, kEvents); };
  absl::StatusOr<base::OwnedFd> connection = connect_();
  if (!connection.ok()) return fail(connection.status());
  const bool pings = replays();
  absl::StatusOr<WebSocket> socket = WebSocket::Open(
      *std::move(connection), absl::StrCat(kEvents, "?type=lifecycle&all-projects=true"), limits,
      {.first_sign = pings ? kPingTimeout : absl::InfiniteDuration()});
  if (!socket.ok()) return fail(socket.status());
  // It is accepted before it is subscribed, and pinged after that.
  bool is_subscribed = false;
  const auto confirm = [&is_subscribed, &subscribed] {
    if (!std::exchange(is_subscribed, true)) subscribed();
  };
  if (!pings) confirm();
  absl::Time last = absl::InfinitePast();
  const absl::Status status = socket->ReadAll(
      limits,
      [&](absl::string_view message) {
        confirm();
        const std::optional<EngineEvent> told = Read(message, &last, limits.stop);
        if (told.has_value()) sink(*told);
      },
      confirm);
  if (is_subscribed || !absl::IsDeadlineExceeded(status)) return fail(status);
  const absl::MutexLock lock(&mutex_);
  pings_ = false;
  return fail(absl::UnavailableError("did not say that it is subscribed"));
}

absl::Status IncusClient::ListInstances(const CallLimits& limits, absl::string_view recursion,
                                        absl::FunctionRef<bool(Container::State)> is_wanted,
                                        absl::FunctionRef<absl::Status(EngineRow)> sink) {
  const uint64_t asked = index_.Now();
  return GetJsonListMember(
      connect_, absl::StrCat("/1.0/instances?recursion=", recursion, "&all-projects=true"),
      "metadata", limits, [&](const Json& json) -> absl::Status {
        NSCTL_ASSIGN_OR_RETURN(Instance instance, InstanceOf(json));
        if (Learn(instance, asked).empty()) return absl::OkStatus();
        if (!is_wanted(instance.row.container.state())) return absl::OkStatus();
        return sink(std::move(instance.row));
      });
}

absl::Status IncusClient::List(const CallLimits& limits,
                               absl::FunctionRef<absl::Status(EngineRow)> sink) {
  return ListInstances(
      limits, "2",
      [](Container::State state) { return IsAlive(state) || state == Container::unknown; }, sink);
}

absl::Status IncusClient::ListStopped(const CallLimits& limits,
                                      absl::FunctionRef<absl::Status(EngineRow)> sink) {
  // What does not run has nothing to say beyond its configuration.
  return ListInstances(
      limits, "1", [](Container::State state) { return state == Container::exited; }, sink);
}

absl::StatusOr<EngineRow> IncusClient::Inspect(const ContainerId& container,
                                               const CallLimits& limits) {
  const std::optional<InstanceName> name = index_.NameOf(container);
  if (!name.has_value()) return absl::NotFoundError("no instance of that id is known");
  const uint64_t asked = index_.Now();
  NSCTL_ASSIGN_OR_RETURN(Instance instance, GetInstance(*name, "&recursion=1", limits));
  // Another one has the name now.
  if (Learn(instance, asked) != container.id) return absl::NotFoundError("it is gone");
  if (instance.row.partial) {
    // Before LXD 4.22 the state is not in it.
    const std::optional<std::string> path = InstancePath(*name, "/state");
    if (!path.has_value()) return absl::NotFoundError("a name that is none");
    NSCTL_ASSIGN_OR_RETURN(const Json state, Get(*path, limits));
    TakeState(state, &instance.row);
  }
  if (instance.row.partial) return absl::UnavailableError("the server cannot tell its state");
  return std::move(instance.row);
}

}  // namespace

std::unique_ptr<EngineClient> MakeIncusClient(Connector connect) {
  return std::make_unique<IncusClient>(std::move(connect));
}

}  // namespace nsctl::engines::incus
