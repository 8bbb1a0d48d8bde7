#include "engines/lxc/lxc_client.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "engines/lxc/lxc_watch.h"

namespace nsctl::engines::lxc {
namespace {

// Of those that do not answer.
constexpr size_t kMaxGaps = 16;
// Asked at a time; each waits for its monitor.
constexpr int kThreads = 16;

// Between two sockets, or by now at another one.
bool MayListenElsewhere(const absl::Status& status) {
  return absl::IsUnavailable(status) || base::ErrnoOf(status) == ECONNREFUSED;
}

}  // namespace

CallLimits LxcClient::ShareOf(const CallLimits& limits) const {
  CallLimits share = limits;
  share.deadline = std::min(limits.deadline, absl::Now() + options_.share);
  return share;
}

absl::StatusOr<Engine> LxcClient::Identify(const CallLimits& /*limits*/) {
  if (monitors_->Living().empty()) return absl::UnavailableError("all its monitors ended");
  Engine engine;
  engine.set_type(Engine::lxc);
  engine.set_id(base::EncodeText(monitors_->place().path));
  engine.set_api(base::EncodeText(absl::StrCat("@", monitors_->place().path)));
  return engine;
}

absl::StatusOr<std::optional<EngineRow>> LxcClient::Describe(
    const std::shared_ptr<const Monitor>& monitor, const CallLimits& limits) {
  const auto find = [this](int64_t init_pid) { return monitors_->Find(init_pid); };
  absl::StatusOr<std::optional<EngineRow>> row = monitor->Describe(find, ShareOf(limits));
  if (row.ok() || !MayListenElsewhere(row.status())) return row;
  absl::StatusOr<std::shared_ptr<const Monitor>> again = monitor->FindAgain();
  // It is on its way to its end, or to the next socket.
  if (!again.ok()) return std::nullopt;
  monitors_->Replace(*monitor, *again);
  return (*again)->Describe(find, ShareOf(limits));
}

absl::Status LxcClient::List(const CallLimits& limits,
                             absl::FunctionRef<absl::Status(EngineRow)> sink) {
  const Monitors::List monitors = monitors_->Living();
  std::vector<std::optional<EngineRow>> rows(monitors.size());
  std::vector<absl::Status> failures(monitors.size());
  const auto ask = [&](size_t begin, size_t end, int /*worker*/) {
    for (size_t i = begin; i < end; ++i) {
      absl::StatusOr<std::optional<EngineRow>> row = Describe(monitors[i], limits);
      failures[i] = row.status();
      if (row.ok()) rows[i] = *std::move(row);
    }
  };
  base::ParallelFor(monitors.size(), 1, kThreads, ask);
  SetGaps(monitors, failures);
  for (std::optional<EngineRow>& row : rows) {
    if (row.has_value()) NSCTL_RETURN_IF_ERROR(sink(*std::move(row)));
  }
  return absl::OkStatus();
}

void LxcClient::SetGaps(const Monitors::List& monitors,
                        const std::vector<absl::Status>& failures) const {
  if (options_.set_gaps == nullptr) return;
  std::vector<EngineGap> gaps;
  size_t more = 0;
  for (size_t i = 0; i < monitors.size(); ++i) {
    const absl::Status& failure = failures[i];
    if (failure.ok() || monitors[i]->process().Ended()) continue;
    if (gaps.size() >= kMaxGaps) {
      ++more;
      continue;
    }
    const int error = base::ErrnoOf(failure);
    EngineGap& gap = gaps.emplace_back();
    gap.set_operation(absl::StrCat("ask the monitor ", monitors[i]->process().pid()));
    gap.set_error(error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(failure.code()));
    gap.set_consequence(absl::StrCat("the container ", base::EncodeText(monitors[i]->name()),
                                     " is known by evidence alone"));
  }
  if (more > 0) {
    EngineGap& gap = gaps.emplace_back();
    gap.set_operation("ask monitors");
    gap.set_error("RESOURCE_EXHAUSTED");
    gap.set_consequence(absl::StrCat(more, " further containers are known by evidence alone"));
  }
  options_.set_gaps(std::move(gaps));
}

absl::StatusOr<EngineRow> LxcClient::Inspect(const ContainerId& container,
                                             const CallLimits& limits) {
  absl::Status failure = absl::NotFoundError("no monitor has a container of that name");
  for (const std::shared_ptr<const Monitor>& monitor : monitors_->Living()) {
    if (base::EncodeText(monitor->name()) != container.id) continue;
    absl::StatusOr<std::optional<EngineRow>> row = Describe(monitor, limits);
    // One that ends may be beside one that begins.
    if (row.ok() && row->has_value()) return **std::move(row);
    if (!row.ok()) failure = row.status();
  }
  return failure;
}

absl::Status LxcClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                              absl::FunctionRef<void()> subscribed,
                              absl::FunctionRef<void(const EngineEvent&)> sink) {
  MonitorWatch watch(procfs_, monitors_,
                     {.share = options_.share,
                      .interval = options_.interval,
                      .look_for_monitors = options_.look_for_monitors});
  return watch.Run(limits, subscribed, sink);
}

}  // namespace nsctl::engines::lxc
