#include "engines/podman/podman_client.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
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
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/http_json.h"
#include "engines/json_text.h"
#include "engines/podman/podman_messages.h"

namespace nsctl::engines::podman {
namespace {

// The oldest that has all that is asked for; newer servers speak it.
constexpr char kPrefix[] = "/v4.0.0/libpod";
// Of pods whose names are remembered.
constexpr size_t kMaxPods = 10'000;

class PodmanClient : public EngineClient {
 public:
  explicit PodmanClient(Connector connect) : connect_(std::move(connect)) {}

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
  // It depends on where the user has events kept.
  bool replays() const override { return false; }

 private:
  void Remember(const Pod& pod) ABSL_LOCKS_EXCLUDED(mutex_);
  // The pod with its name: as remembered, or asked for.
  Pod Complete(Pod pod, const CallLimits& limits) ABSL_LOCKS_EXCLUDED(mutex_);

  const Connector connect_;
  absl::Mutex mutex_;
  std::map<std::string, Pod> pods_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<Engine> PodmanClient::Identify(const CallLimits& limits) {
  // Its /info takes 0.2 s, and tells no ID that lasts.
  const auto nothing = [](absl::string_view) { return absl::OkStatus(); };
  HttpHead head;
  NSCTL_RETURN_IF_ERROR(HttpCall(connect_, {.target = "/libpod/_ping"}, limits, nothing, &head));
  const std::string* const version = head.Find("libpod-api-version");
  if (version == nullptr) return absl::UnimplementedError("answers as another engine");
  Engine engine;
  engine.set_type(Engine::podman);
  engine.set_version(base::EncodeText(*version));
  engine.set_api_version(base::EncodeText(*version));
  return engine;
}

absl::Status PodmanClient::Watch(absl::Time since, const CallLimits& limits,
                                 absl::FunctionRef<void()> subscribed,
                                 absl::FunctionRef<void(const EngineEvent&)> sink) {
  const int64_t seconds = std::max<int64_t>(absl::ToUnixSeconds(since), 0);
  const std::string target = absl::StrCat(kPrefix, "/events?stream=true&since=", seconds,
                                          "&filters=", PercentEncode(R"({"type":["container"]})"));
  const auto take = [&sink](const Json* json) {
    // Some versions send null where there is nothing.
    if (json != nullptr && json->is_null()) return;
    EngineEvent lost;
    lost.kind = EngineEvent::Kind::kLost;
    const std::optional<EngineEvent> event = json == nullptr ? lost : EventOf(*json);
    if (event.has_value()) sink(*event);
  };
  return StreamJson(connect_, target, limits, subscribed, take, StreamHead::kWithFirstEvent);
}

absl::Status PodmanClient::List(const CallLimits& limits,
                                absl::FunctionRef<absl::Status(EngineRow)> sink) {
  // Older versions refuse the whole list for a state that they do not know, such as "stopping".
  const std::string filters = R"({"status":["running","paused"]})";
  return GetJsonArray(connect_,
                      absl::StrCat(kPrefix, "/containers/json?filters=", PercentEncode(filters)),
                      limits, [this, &limits, &sink](const Json& json) {
                        NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfList(json));
                        if (row.pod.has_value()) row.pod = Complete(*std::move(row.pod), limits);
                        return sink(std::move(row));
                      });
}

absl::Status PodmanClient::ListStopped(const CallLimits& limits,
                                       absl::FunctionRef<absl::Status(EngineRow)> sink) {
  // Without a filter, whose words not all versions know.
  return GetJsonArray(connect_, absl::StrCat(kPrefix, "/containers/json?all=true"), limits,
                      [this, &limits, &sink](const Json& json) -> absl::Status {
                        NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfList(json));
                        if (IsAlive(row.container.state())) return absl::OkStatus();
                        if (row.pod.has_value()) row.pod = Complete(*std::move(row.pod), limits);
                        return sink(std::move(row));
                      });
}

absl::StatusOr<EngineRow> PodmanClient::Inspect(const ContainerId& container,
                                                const CallLimits& limits) {
  const std::optional<std::string> id = base::DecodeText(container.id);
  // It would be another path.
  if (!id.has_value() || id->find('/') != std::string::npos || *id == "." || *id == "..") {
    return absl::NotFoundError("an id that is none");
  }
  NSCTL_ASSIGN_OR_RETURN(
      const Json json,
      GetJson(connect_, absl::StrCat(kPrefix, "/containers/", PercentEncode(*id), "/json"),
              limits));
  NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfInspection(json));
  if (row.container.id() != container.id) {
    return absl::DataLossError("the inspection is of another container");
  }
  if (row.pod.has_value()) row.pod = Complete(*std::move(row.pod), limits);
  return row;
}

void PodmanClient::Remember(const Pod& pod) {
  const absl::MutexLock lock(&mutex_);
  if (pods_.size() >= kMaxPods) pods_.clear();
  pods_[pod.id()] = pod;
}

Pod PodmanClient::Complete(Pod pod, const CallLimits& limits) {
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = pods_.find(pod.id());
    if (found != pods_.end()) return found->second;
  }
  const std::optional<std::string> id = base::DecodeText(pod.id());
  if (!id.has_value() || id->find('/') != std::string::npos || *id == "." || *id == "..") {
    return pod;
  }
  const absl::StatusOr<Json> json =
      GetJson(connect_, absl::StrCat(kPrefix, "/pods/", PercentEncode(*id), "/json"), limits);
  // The container counts, with or without its pod's name.
  if (!json.ok()) return pod;
  Pod whole = PodOf(*json);
  if (whole.id() != pod.id()) return pod;
  Remember(whole);
  return whole;
}

}  // namespace

std::unique_ptr<EngineClient> MakePodmanClient(Connector connect) {
  return std::make_unique<PodmanClient>(std::move(connect));
}

}  // namespace nsctl::engines::podman
