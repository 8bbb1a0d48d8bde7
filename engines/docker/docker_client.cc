#include "engines/docker/docker_client.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/docker/docker_messages.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/http_json.h"
#include "engines/json_text.h"
#include "engines/stopped_rows.h"

namespace nsctl::engines::docker {
namespace {

constexpr size_t kMaxStopped = 100'000;

class DockerClient : public EngineClient {
 public:
  explicit DockerClient(Connector connect) : connect_(std::move(connect)) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  absl::Status Ping(const CallLimits& limits) override { return AskVersion(limits).status(); }
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::Status ListStopped(const CallLimits& limits,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  // By `since`; the daemon keeps its last 256 events.
  bool replays() const override { return true; }

 private:
  absl::StatusOr<HttpHead> AskVersion(const CallLimits& limits) const;
  std::string Path(absl::string_view path) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    return absl::StrCat(prefix_, path);
  }

  const Connector connect_;
  mutable absl::Mutex mutex_;
  // "/v1.41"
  std::string prefix_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<HttpHead> DockerClient::AskVersion(const CallLimits& limits) const {
  const auto nothing = [](absl::string_view) { return absl::OkStatus(); };
  HttpHead head;
  absl::Status status = absl::OkStatus();
  // HEAD since API 1.40.
  for (const char* method : {"HEAD", "GET"}) {
    status = HttpCall(connect_, {.method = method, .target = "/_ping"}, limits, nothing, &head);
    if (status.ok()) return head;
    if (!absl::IsNotFound(status) && !absl::IsUnimplemented(status)) return status;
  }
  return status;
}

absl::StatusOr<Engine> DockerClient::Identify(const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const HttpHead head, AskVersion(limits));
  const std::string* const newest = head.Find("api-version");
  const std::string version = newest == nullptr ? "" : VersionToSpeak(*newest);
  {
    const absl::MutexLock lock(&mutex_);
    prefix_ = version.empty() ? "" : absl::StrCat("/v", version);
  }
  NSCTL_ASSIGN_OR_RETURN(const Json info, GetJson(connect_, Path("/info"), limits));
  Engine engine;
  // Podman's imitation, which has another interface of its own and another ID at each call.
  const bool podman = head.Find("libpod-api-version") != nullptr;
  engine.set_type(podman ? Engine::podman : Engine::docker);
  if (!podman) engine.set_id(TextMember(info, "ID"));
  engine.set_version(TextMember(info, "ServerVersion"));
  engine.set_api_version(version);
  return engine;
}

absl::Status DockerClient::Watch(absl::Time since, const CallLimits& limits,
                                 absl::FunctionRef<void()> subscribed,
                                 absl::FunctionRef<void(const EngineEvent&)> sink) {
  const int64_t nanoseconds = std::max<int64_t>(absl::ToUnixNanos(since), 0);
  const std::string target =
      absl::StrFormat("%s?since=%d.%09d&filters=%s", Path("/events"), nanoseconds / 1'000'000'000,
                      nanoseconds % 1'000'000'000, PercentEncode(EventFilters()));
  return StreamJson(connect_, target, limits, subscribed, [&sink](const Json* json) {
    EngineEvent lost;
    lost.kind = EngineEvent::Kind::kLost;
    const std::optional<EngineEvent> event = json == nullptr ? lost : EventOf(*json);
    if (event.has_value()) sink(*event);
  });
}

absl::Status DockerClient::List(const CallLimits& limits,
                                absl::FunctionRef<absl::Status(EngineRow)> sink) {
  const std::string filters = R"({"status":["running","paused","restarting"]})";
  return GetJsonArray(connect_,
                      absl::StrCat(Path("/containers/json"), "?filters=", PercentEncode(filters)),
                      limits, [&sink](const Json& json) {
                        NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfList(json));
                        return sink(std::move(row));
                      });
}

absl::Status DockerClient::ListStopped(const CallLimits& limits,
                                       absl::FunctionRef<absl::Status(EngineRow)> sink) {
  const std::string filters = R"({"status":["created","exited","dead","removing"]})";
  std::vector<EngineRow> rows;
  NSCTL_RETURN_IF_ERROR(GetJsonArray(
      connect_, absl::StrCat(Path("/containers/json"), "?all=1&filters=", PercentEncode(filters)),
      limits, [&rows](const Json& json) -> absl::Status {
        if (rows.size() >= kMaxStopped) {
          return absl::ResourceExhaustedError(
              absl::StrCat("lists more than ", kMaxStopped, " stopped containers"));
        }
        NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfList(json));
        if (!IsAlive(row.container.state()) && row.container.state() != Container::restarting) {
          rows.push_back(std::move(row));
        }
        return absl::OkStatus();
      }));
  return GiveInspected(
      std::move(rows), limits, [&](const ContainerId& id) { return Inspect(id, limits); }, sink);
}

absl::StatusOr<EngineRow> DockerClient::Inspect(const ContainerId& container,
                                                const CallLimits& limits) {
  const std::optional<std::string> id = base::DecodeText(container.id);
  // It would be another path.
  if (!id.has_value() || id->find('/') != std::string::npos || *id == "." || *id == "..") {
    return absl::NotFoundError("an id that is none");
  }
  NSCTL_ASSIGN_OR_RETURN(
      const Json json,
      GetJson(connect_, Path(absl::StrCat("/containers/", PercentEncode(*id), "/json")), limits));
  NSCTL_ASSIGN_OR_RETURN(EngineRow row, RowOfInspection(json));
  if (row.container.id() != container.id) {
    return absl::DataLossError("the inspection is of another container");
  }
  return row;
}

}  // namespace

std::unique_ptr<EngineClient> MakeDockerClient(Connector connect) {
  return std::make_unique<DockerClient>(std::move(connect));
}

}  // namespace nsctl::engines::docker
