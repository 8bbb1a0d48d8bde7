// Asks the monitors of one place for their containers, as if they were one engine.

#ifndef NSCTL_ENGINES_LXC_LXC_CLIENT_H_
#define NSCTL_ENGINES_LXC_LXC_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {

struct ClientOptions {
  // What one monitor may take where others wait.
  absl::Duration share = absl::Seconds(1);
  // Between two looks at what is not heard of.
  absl::Duration interval = absl::Seconds(5);
  // LXC was at work in the place: there may be a new monitor. May be null.
  std::function<void()> look_for_monitors;
  // Which monitors do not answer. May be null.
  std::function<void(std::vector<EngineGap>)> set_gaps;
};

class LxcClient : public EngineClient {
 public:
  // `procfs` must outlive the client.
  LxcClient(const procfsroot::Procfs& procfs, std::shared_ptr<Monitors> monitors,
            ClientOptions options)
      : procfs_(procfs), monitors_(std::move(monitors)), options_(std::move(options)) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  // States are asked for before the list is, and compared with that from then on.
  bool replays() const override { return true; }
  std::optional<std::pair<int32_t, uint64_t>> process() const override {
    return monitors_->Speaker();
  }

 private:
  CallLimits ShareOf(const CallLimits& limits) const;
  // What the monitor says; nullopt where it has no container.
  absl::StatusOr<std::optional<EngineRow>> Describe(const std::shared_ptr<const Monitor>& monitor,
                                                    const CallLimits& limits);
  void SetGaps(const Monitors::List& monitors, const std::vector<absl::Status>& failures) const;

  const procfsroot::Procfs& procfs_;
  const std::shared_ptr<Monitors> monitors_;
  const ClientOptions options_;
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_CLIENT_H_
