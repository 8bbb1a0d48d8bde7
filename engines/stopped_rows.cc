#include "engines/stopped_rows.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/worker_pool.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {
namespace {

constexpr int kThreads = 8;

bool IsStopped(const Container& container) {
  return !IsAlive(container.state()) && container.state() != Container::restarting;
}

}  // namespace

absl::Status GiveInspected(std::vector<EngineRow> rows, const CallLimits& limits,
                           absl::FunctionRef<absl::StatusOr<EngineRow>(const ContainerId&)> inspect,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) {
  // What was inspected in half of the time is shown whole, and the rest at all.
  const absl::Time enough = absl::Now() + (limits.deadline - absl::Now()) / 2;
  std::vector<char> is_left_out(rows.size(), 0);
  base::ParallelFor(rows.size(), 1, kThreads, [&](size_t begin, size_t end, int /*worker*/) {
    for (size_t i = begin; i < end; ++i) {
      const bool stopped = limits.stop != nullptr && limits.stop->requested();
      if (stopped || absl::Now() > enough) return;
      absl::StatusOr<EngineRow> row = inspect(IdOf(rows[i].container));
      if (row.ok()) {
        is_left_out[i] = IsStopped(row->container) ? 0 : 1;
        rows[i] = *std::move(row);
      } else if (absl::IsNotFound(row.status())) {
        is_left_out[i] = 1;
      }
    }
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    if (is_left_out[i] == 0) NSCTL_RETURN_IF_ERROR(sink(std::move(rows[i])));
  }
  return absl::OkStatus();
}

absl::StatusOr<Containers> ListStopped(EngineClient* client, const CallLimits& limits,
                                       size_t most) {
  Containers stopped;
  NSCTL_RETURN_IF_ERROR(client->ListStopped(limits, [&](EngineRow row) {
    if (static_cast<size_t>(stopped.containers_size()) >= most) {
      return absl::ResourceExhaustedError(
          absl::StrCat("lists more than ", most, " stopped containers"));
    }
    stopped.add_containers()->Swap(&row.container);
    if (row.pod.has_value()) stopped.add_pods()->Swap(&*row.pod);
    return absl::OkStatus();
  }));
  return stopped;
}

}  // namespace nsctl::engines
