#include "engines/engine_finder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/engine_types.h"
#include "engines/helper_processes.h"
#include "engines/listening_sockets.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

using procfsroot::ProcessDir;

// Whose sockets are looked at in one look; and those that are told of one by one.
constexpr size_t kMaxExamined = 256;
constexpr absl::Duration kMaxTime = absl::Seconds(1);
constexpr size_t kMaxGaps = 16;
constexpr size_t kMaxNamed = 8;
// The kernel allows 32 levels.
constexpr int kMaxLevels = 40;

// The host's come first; containers take turns, so that one that is full of would-be engines hides
// no other.
// `counts`: of those that have had theirs.
void SortByTurn(std::map<uint64_t, size_t> counts, std::vector<FoundEngine>* candidates) {
  std::sort(candidates->begin(), candidates->end(), [](const auto& a, const auto& b) {
    return std::tie(a.process.start_time, a.process.pid) <
           std::tie(b.process.start_time, b.process.pid);
  });
  using Turn = std::tuple<bool, size_t, size_t>;
  std::vector<std::pair<Turn, FoundEngine>> turns;
  for (FoundEngine& candidate : *candidates) {
    const bool inside = candidate.inside != 0;
    const size_t turn = inside ? counts[candidate.inside]++ : 0;
    turns.emplace_back(Turn(inside, turn, turns.size()), std::move(candidate));
  }
  std::sort(turns.begin(), turns.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  candidates->clear();
  for (auto& [turn, candidate] : turns) candidates->push_back(std::move(candidate));
}

std::string ErrorName(const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  return error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(status.code());
}

}  // namespace

bool EngineFinder::IsWanted(Engine::Type type) const {
  const auto& types = options_.types;
  return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

std::vector<const EngineKind*> EngineFinder::KindsOf(const ProcessDir& process,
                                                     absl::string_view name) const {
  std::vector<const EngineKind*> kinds = KindsOfProgram(options_.kinds, name, "");
  if (kinds.empty()) {
    const absl::StatusOr<std::string> executable = ReadExecutableName(process);
    if (executable.ok()) kinds = KindsOfProgram(options_.kinds, name, *executable);
  }
  std::optional<std::vector<std::string>> arguments;
  const auto is_none = [&](const EngineKind* kind) {
    if (!IsWanted(kind->type)) return true;
    if (kind->argument == nullptr && kind->is_service == nullptr) return false;
    if (!arguments.has_value()) {
      absl::StatusOr<std::vector<std::string>> read = ReadArguments(process);
      arguments = read.ok() ? *std::move(read) : std::vector<std::string>();
    }
    if (kind->is_service != nullptr && !kind->is_service(*arguments)) return true;
    return kind->argument != nullptr &&
           std::find(arguments->begin(), arguments->end(), kind->argument) == arguments->end();
  };
  kinds.erase(std::remove_if(kinds.begin(), kinds.end(), is_none), kinds.end());
  return kinds;
}

std::optional<FoundMonitor> EngineFinder::MonitorOf(const ProcessDir& process,
                                                    const ScannedProcess& scanned) const {
  if (!MayBeHelper(scanned.name) || !IsWanted(Engine::lxc)) return std::nullopt;
  const absl::StatusOr<std::vector<std::string>> arguments = ReadArguments(process);
  if (!arguments.ok()) return std::nullopt;
  std::optional<HelperProcess> helper = ParseHelper(scanned.name, *arguments);
  if (!helper.has_value() || helper->type != Engine::lxc) return std::nullopt;
  // The folder, a slash and the name.
  helper->id.resize(helper->id.size() - helper->name.size() - 1);
  return FoundMonitor{
      .process = scanned, .path = std::move(helper->id), .name = std::move(helper->name)};
}

void EngineFinder::LookAt(base::Pid pid, bool soon, std::vector<FoundEngine>* candidates) {
  Seen& seen = seen_[pid];
  const bool all = !soon && looks_ % options_.all_again_after == 0;
  if (!all && (seen.settled || seen.found)) return;
  if (soon && seen.looks > 0) return;
  const absl::StatusOr<ProcessDir> directory = procfs_.OpenProcess(pid);
  // It ended, which the next list of processes shows.
  if (!directory.ok()) return;
  const absl::StatusOr<ScannedProcess> process = ScanProcess(*directory, pid);
  if (!process.ok()) return;
  if (process->start_time != seen.start_time) seen = Seen{.start_time = process->start_time};
  if (seen.found) return;
  // A process may execute another program at any time, but hardly ever when it is old.
  if (!soon) ++seen.looks;
  seen.settled = process->kernel_thread || process->zombie || seen.looks >= options_.settled_after;
  seen.program = seen.error = "";
  if (process->kernel_thread || process->zombie) return;
  std::vector<const EngineKind*> kinds = KindsOf(*directory, process->name);
  if (kinds.empty()) {
    seen.monitor = MonitorOf(*directory, *process);
    return;
  }
  seen.settled = false;
  seen.program = kinds.front()->program;
  candidates->push_back(
      {.process = *process, .inside = PlaceOf(*directory), .kinds = std::move(kinds)});
}

uint64_t EngineFinder::PlaceOf(const ProcessDir& process) {
  const absl::StatusOr<uint64_t> inode = ReadNamespaceInode(process, "pid");
  if (!inode.ok()) return 0;
  if (*inode == own_pid_namespace_) {
    const absl::StatusOr<uint64_t> mnt = ReadNamespaceInode(process, "mnt");
    return mnt.ok() && *mnt != own_mnt_namespace_ ? *mnt : 0;
  }
  uint64_t below = *inode;
  absl::StatusOr<base::OwnedFd> ns = process.OpenNamespace("pid");
  for (int level = 0; ns.ok() && level < kMaxLevels; ++level) {
    ns = base::OpenParent(*ns);
    if (!ns.ok()) break;
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*ns);
    if (!id.ok() || id->inode == own_pid_namespace_) break;
    below = id->inode;
  }
  return below;
}

bool EngineFinder::Listens(const FoundEngine& candidate, std::set<uint64_t>* taken,
                           Seen* seen) const {
  const absl::StatusOr<ListeningSockets> sockets =
      ReadListeningSockets(procfs_, candidate.process.pid);
  if (!sockets.ok()) {
    if (!base::IsGone(sockets.status())) seen->error = ErrorName(sockets.status());
    return false;
  }
  seen->cut = sockets->cut;
  bool has_own = false;
  seen->sockets.clear();
  for (const ListeningSocket& socket : sockets->sockets) {
    seen->sockets.push_back(socket.inode);
    has_own = taken->insert(socket.inode).second || has_own;
  }
  // A child that an engine forked is no other engine.
  return has_own;
}

void EngineFinder::Choose(std::vector<FoundEngine> candidates, Result* result) {
  std::map<uint64_t, size_t> beside;
  std::set<uint64_t> taken;
  size_t outside = 0;
  size_t inside = 0;
  const auto count = [&](uint64_t place) {
    ++(place == 0 ? outside : inside);
    ++beside[place];
  };
  const auto is_full = [&](uint64_t place) {
    if (place == 0) return outside >= options_.max_engines;
    return inside >= options_.max_engines_inside || beside[place] >= options_.max_engines_beside;
  };
  for (const auto& [pid, seen] : seen_) {
    if (!seen.found) continue;
    taken.insert(seen.sockets.begin(), seen.sockets.end());
    count(seen.inside);
  }
  SortByTurn(beside, &candidates);
  const absl::Time deadline = absl::Now() + kMaxTime;
  size_t examined = 0;
  refused_.clear();
  for (FoundEngine& candidate : candidates) {
    if (is_full(candidate.inside) || examined >= kMaxExamined || absl::Now() > deadline) {
      refused_[candidate.inside].push_back(candidate.process.pid);
      continue;
    }
    ++examined;
    Seen& seen = seen_[candidate.process.pid];
    if (!Listens(candidate, &taken, &seen)) continue;
    seen.found = true;
    seen.inside = candidate.inside;
    count(candidate.inside);
    result->engines.push_back(std::move(candidate));
  }
  CollectGaps(&result->gaps);
}

void EngineFinder::CollectGaps(std::vector<EngineGap>* gaps) const {
  const auto add = [gaps](const std::string& subject, const std::string& error,
                          const std::string& consequence) {
    EngineGap& gap = gaps->emplace_back();
    gap.set_subject(subject);
    gap.set_operation("find engines");
    gap.set_error(error);
    gap.set_consequence(consequence);
  };
  size_t unreadable = 0;
  for (const auto& [pid, seen] : seen_) {
    const std::string subject = absl::StrCat("pid:", pid.value);
    if ((seen.error.empty() && !seen.cut) || ++unreadable > kMaxGaps) continue;
    if (seen.cut) {
      add(subject, "RESOURCE_EXHAUSTED", "has more descriptors and sockets than are looked at");
    } else {
      add(subject, seen.error,
          absl::StrCat("may be an engine (", seen.program, ") whose containers are not known"));
    }
  }
  if (unreadable > kMaxGaps) {
    add("engines", "RESOURCE_EXHAUSTED",
        absl::StrCat(unreadable - kMaxGaps, " further processes may be such engines"));
  }
  size_t places = 0;
  for (const auto& [place, pids] : refused_) {
    const std::string subject = absl::StrCat("pid:", pids.front().value);
    if (++places > kMaxGaps) {
      add(subject, "RESOURCE_EXHAUSTED",
          absl::StrCat("processes in ", refused_.size() - kMaxGaps,
                       " further containers that look like engines are not asked"));
      break;
    }
    const std::vector<base::Pid> named(pids.begin(),
                                       pids.begin() + std::min(pids.size(), kMaxNamed));
    const std::string names = absl::StrJoin(
        named, ", ", [](std::string* out, base::Pid pid) { absl::StrAppend(out, pid.value); });
    add(subject, "RESOURCE_EXHAUSTED",
        absl::StrCat(pids.size(), pids.size() == 1 ? " is" : " are", " not asked, as too many ",
                     place == 0 ? "of the host" : "in containers", " look like engines: ", names,
                     pids.size() > named.size() ? ", ..." : ""));
  }
}

absl::StatusOr<EngineFinder::Result> EngineFinder::Look(bool soon) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, procfs_.ListProcesses());
  if (looks_ == 0) {
    if (const absl::StatusOr<ProcessDir> self = procfs_.OpenSelf(); self.ok()) {
      const absl::StatusOr<uint64_t> own = ReadNamespaceInode(*self, "pid");
      if (own.ok()) own_pid_namespace_ = *own;
      const absl::StatusOr<uint64_t> mnt = ReadNamespaceInode(*self, "mnt");
      if (mnt.ok()) own_mnt_namespace_ = *mnt;
    }
  }
  for (auto seen = seen_.begin(); seen != seen_.end();) {
    const bool listed = std::binary_search(pids.begin(), pids.end(), seen->first);
    seen = listed ? std::next(seen) : seen_.erase(seen);
  }
  Result result;
  std::vector<FoundEngine> candidates;
  for (const base::Pid pid : pids) LookAt(pid, soon, &candidates);
  if (!soon) ++looks_;
  Choose(std::move(candidates), &result);
  for (const auto& [pid, seen] : seen_) {
    if (seen.monitor.has_value()) result.monitors.push_back(*seen.monitor);
  }
  std::sort(result.engines.begin(), result.engines.end(), [](const auto& a, const auto& b) {
    return std::tie(a.process.start_time, a.process.pid) <
           std::tie(b.process.start_time, b.process.pid);
  });
  return result;
}

}  // namespace nsctl::engines
