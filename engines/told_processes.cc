#include "engines/told_processes.h"

#include <cstddef>
#include <utility>

#include "engines/container.h"

namespace nsctl::engines {
namespace {

// Ends that nobody tells are remembered as processes that run.
constexpr size_t kMaxRunning = 200'000;
// Of all that is remembered of them; and of one, whose labels are not remembered where it is more.
constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr size_t kMaxBytesOfOne = size_t{16} << 10;
// Engines tell of one end within seconds.
constexpr size_t kMaxEnded = 20'000;

}  // namespace

void ToldProcesses::Remember(const Change& change, Told* told) {
  told->container = change.container();
  told->pod.reset();
  if (change.has_pod()) told->pod = change.pod();
  const auto size = [told] {
    return sizeof(Told) + told->container.ByteSizeLong() +
           (told->pod.has_value() ? told->pod->ByteSizeLong() : 0);
  };
  if (size() > kMaxBytesOfOne) {
    told->container.clear_labels();
    told->container.clear_annotations();
    if (told->pod.has_value()) {
      told->pod->clear_labels();
      told->pod->clear_annotations();
    }
  }
  bytes_ -= told->bytes;
  told->bytes = size();
  bytes_ += told->bytes;
}

void ToldProcesses::Forget(std::map<Id, Told>::iterator told) {
  bytes_ -= told->second.bytes;
  running_.erase(told);
}

void ToldProcesses::Take(int distance, Change* change) {
  const Id id = IdOf(*change);
  if (id.first == 0 || id.second == 0) return;
  const auto [place, is_new] = running_.try_emplace(id);
  Told& told = place->second;
  if (!is_new && change->kind() == Change::started) change->set_kind(Change::updated);
  ended_.erase(id);
  if (!is_new && distance > told.distance) return;
  told.distance = distance;
  Remember(*change, &told);
  while (running_.size() > kMaxRunning || bytes_ > kMaxBytes) Forget(running_.begin());
}

void ToldProcesses::Note(const Change& end) {
  const auto found = running_.find(IdOf(end));
  if (found == running_.end() || !end.container().has_exit_code()) return;
  found->second.exit_code = end.container().exit_code();
}

bool ToldProcesses::TakeEnd(int distance, Change* end) {
  const Id id = IdOf(*end);
  if (id.first == 0 || id.second == 0) return true;
  if (!ended_.insert(id).second) return false;
  order_.push_back(id);
  if (order_.size() > kMaxEnded) {
    ended_.erase(order_.front());
    order_.pop_front();
  }
  const auto found = running_.find(id);
  if (found == running_.end()) return true;
  Told& told = found->second;
  Container& container = *end->mutable_container();
  if (!container.has_exit_code() && told.exit_code.has_value()) {
    container.set_exit_code(*told.exit_code);
  }
  if (told.distance < distance) {
    const Container last = std::exchange(container, std::move(told.container));
    container.set_state(last.state());
    if (last.has_exit_code()) container.set_exit_code(last.exit_code());
    if (last.has_oom_killed()) container.set_oom_killed(last.oom_killed());
    if (last.has_finished_at()) *container.mutable_finished_at() = last.finished_at();
    end->clear_pod();
    if (told.pod.has_value()) *end->mutable_pod() = *std::move(told.pod);
  }
  Forget(found);
  return true;
}

}  // namespace nsctl::engines
