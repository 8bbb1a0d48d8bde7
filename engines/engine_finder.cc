#include "engines/engine_finder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/engine_types.h"
#include "engines/listening_sockets.h"
#include "engines/process_scan.h"
#include "engines/process_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// Whose sockets are looked at in one look; and those that are told of one by one.
constexpr size_t kMaxExamined = 256;
constexpr absl::Duration kMaxTime = absl::Seconds(1);
constexpr size_t kMaxGaps = 16;
constexpr size_t kMaxNamed = 8;

// The one that a kind's is usually called, else the first.
std::string LikelySocket(const ListeningSockets& sockets,
                         const std::vector<const EngineKind*>& kinds) {
  std::string likely;
  for (const ListeningSocket& socket : sockets.sockets) {
    if (!absl::StartsWith(socket.path, "/")) continue;
    if (likely.empty()) likely = socket.path;
    for (const EngineKind* kind : kinds) {
      if (absl::EndsWith(socket.path, absl::StrCat("/", kind->socket))) return socket.path;
    }
  }
  return likely;
}

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

// That it is by its helper process.
std::optional<FoundMonitor> ToMonitor(const ProcessTable::Row& row) {
  if (!row.helper.has_value() || row.helper->type != Engine::lxc) return std::nullopt;
  // The id is the folder, a slash and the name.
  const std::string& id = row.helper->id;
  const std::string& name = row.helper->name;
  return FoundMonitor{
      .process = row.process, .path = id.substr(0, id.size() - name.size() - 1), .name = name};
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

void EngineFinder::LookAt(const ProcessTable::Row& row, bool soon,
                          std::vector<FoundEngine>* candidates) {
  std::vector<const EngineKind*> kinds = row.kinds;
  const auto is_unwanted = [this](const EngineKind* kind) { return !IsWanted(kind->type); };
  kinds.erase(std::remove_if(kinds.begin(), kinds.end(), is_unwanted), kinds.end());
  const auto known = seen_.find(row.process.pid);
  const bool is_known = known != seen_.end() && known->second.start_time == row.process.start_time;
  // What was found is followed whatever it is called by now.
  if (is_known && (known->second.found || (soon && !kinds.empty()))) return;
  if (kinds.empty()) {
    seen_.erase(row.process.pid);
    return;
  }
  Seen& seen = seen_[row.process.pid];
  if (!is_known) seen = Seen{.start_time = row.process.start_time};
  seen.program = kinds.front()->program;
  seen.error = "";
  candidates->push_back({.process = row.process,
                         .inside = inside_.InsideOf(row.process.pid),
                         .kinds = std::move(kinds)});
}

bool EngineFinder::Listens(std::set<uint64_t>* taken, FoundEngine* candidate, Seen* seen) const {
  const absl::StatusOr<ListeningSockets> sockets =
      ReadListeningSockets(procfs_, candidate->process.pid);
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
  candidate->socket = LikelySocket(*sockets, candidate->kinds);
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
    if (!Listens(&taken, &candidate, &seen)) continue;
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

EngineFinder::Result EngineFinder::Look(const ProcessTable::Rows& processes, bool soon) {
  std::erase_if(seen_, [&](const auto& seen) { return !processes.contains(seen.first); });
  Result result;
  std::vector<FoundEngine> candidates;
  for (const auto& [pid, row] : processes) {
    LookAt(row, soon, &candidates);
    std::optional<FoundMonitor> monitor;
    if (row.kinds.empty() && IsWanted(Engine::lxc)) monitor = ToMonitor(row);
    if (monitor.has_value()) result.monitors.push_back(*std::move(monitor));
  }
  Choose(std::move(candidates), &result);
  std::sort(result.engines.begin(), result.engines.end(), [](const auto& a, const auto& b) {
    return std::tie(a.process.start_time, a.process.pid) <
           std::tie(b.process.start_time, b.process.pid);
  });
  return result;
}

}  // namespace nsctl::engines
