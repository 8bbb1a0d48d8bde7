#include "engines/evidence_client.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/evidence.h"
#include "engines/process_table.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {
namespace {

// The same text for rows that show the same.
std::string Describe(const std::vector<EngineRow>& rows) {
  std::string text;
  for (const EngineRow& row : rows) {
    absl::StrAppend(&text, row.container.SerializeAsString(), "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<Engine> EvidenceClient::Identify(const CallLimits& /*limits*/) {
  Engine engine;
  engine.set_type(Engine::evidence);
  return engine;
}

absl::StatusOr<std::vector<EngineRow>> EvidenceClient::Look() {
  const std::set<ProcessId> known = options_.known();
  const absl::MutexLock lock(&mutex_);
  const std::set<ProcessId> told = std::exchange(told_, {});
  const absl::Duration grace = listed_once_ ? options_.grace : absl::ZeroDuration();
  const auto is_left_out = [&](base::Pid pid, uint64_t start_time) {
    const ProcessId id(pid.value, start_time);
    if (told.contains(id)) return false;
    return known.contains(id) || absl::Now() - TimeOfStart(start_time) < grace;
  };
  NSCTL_ASSIGN_OR_RETURN(Evidence::Result result, evidence_.Scan(options_.max_age, is_left_out));
  options_.set_gaps(std::move(result.gaps));
  std::vector<EngineRow> rows;
  for (EvidenceRow& evidence : result.rows) {
    told_.emplace(static_cast<int32_t>(evidence.row.container.engine_pid()), evidence.start_time);
    rows.push_back(std::move(evidence.row));
  }
  return rows;
}

absl::Status EvidenceClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                                   absl::FunctionRef<void()> subscribed,
                                   absl::FunctionRef<void(const EngineEvent&)> sink) {
  subscribed();
  while (true) {
    const absl::Time next = absl::Now() + options_.interval;
    while (!limits.stop->requested() && absl::Now() < next) AwaitTime(next, *limits.stop);
    if (limits.stop->requested()) return absl::CancelledError("stopped");
    NSCTL_ASSIGN_OR_RETURN(const std::vector<EngineRow> rows, Look());
    bool is_new = false;
    {
      const absl::MutexLock lock(&mutex_);
      is_new = Describe(rows) != listed_;
    }
    if (is_new) sink({.kind = EngineEvent::Kind::kLost});
  }
}

absl::Status EvidenceClient::List(const CallLimits& limits,
                                  absl::FunctionRef<absl::Status(EngineRow)> sink) {
  bool first = false;
  {
    const absl::MutexLock lock(&mutex_);
    first = !listed_once_;
  }
  if (first) options_.await_engines(limits.stop);
  NSCTL_ASSIGN_OR_RETURN(std::vector<EngineRow> rows, Look());
  {
    const absl::MutexLock lock(&mutex_);
    listed_once_ = true;
    listed_ = Describe(rows);
  }
  for (EngineRow& row : rows) NSCTL_RETURN_IF_ERROR(sink(std::move(row)));
  return absl::OkStatus();
}

absl::StatusOr<EngineRow> EvidenceClient::Inspect(const ContainerId& container,
                                                  const CallLimits& /*limits*/) {
  NSCTL_ASSIGN_OR_RETURN(std::vector<EngineRow> rows, Look());
  for (EngineRow& row : rows) {
    if (IdOf(row.container) == container) return std::move(row);
  }
  return absl::NotFoundError("no evidence any more");
}

absl::StatusOr<std::shared_ptr<const ContainerProcess>> ObserverProcesses::Find(
    int64_t engine_pid) {
  const base::Pid pid{static_cast<pid_t>(engine_pid)};
  NSCTL_ASSIGN_OR_RETURN(std::shared_ptr<const ContainerProcess> process,
                         HoldProcess(procfs_, pid));
  NSCTL_ASSIGN_OR_RETURN(const auto rows, table_->Look(absl::InfiniteDuration()));
  const auto row = rows->find(pid);
  if (row == rows->end() || row->second.process.start_time != process->start_time()) {
    return absl::NotFoundError(absl::StrCat("no process ", pid.value, " any more"));
  }
  return process;
}

}  // namespace nsctl::engines
