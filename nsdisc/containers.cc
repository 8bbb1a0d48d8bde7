#include "nsdisc/containers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "nsdisc/container_links.h"

namespace nsctl::nsdisc {
namespace {

using Gaps = google::protobuf::RepeatedPtrField<Gap>;

void AddGap(const std::string& subject, const std::string& operation, const std::string& error,
            const std::string& consequence, uint64_t count, Gaps* gaps) {
  Gap* const gap = gaps->Add();
  gap->set_subject(subject);
  gap->set_operation(operation);
  gap->set_error(error);
  gap->set_consequence(consequence);
  gap->set_count(count);
}

// After all others, in an order of their own.
void AddGaps(const engines::Containers& containers, const ContainerLinks& links,
             Snapshot* snapshot) {
  const int first = snapshot->gaps_size();
  AppendGaps(containers, snapshot->mutable_gaps());
  std::map<std::string, uint64_t> refused;
  for (size_t i = 0; i < links.is_refused.size(); ++i) {
    if (links.is_refused[i]) ++refused[snapshot->containers(static_cast<int>(i)).engine()];
  }
  for (const auto& [engine, count] : refused) {
    AddGap(engine, "link containers", "EPERM",
           "no process is linked to containers that it says run outside of its own place", count,
           snapshot->mutable_gaps());
  }
  Gaps* const gaps = snapshot->mutable_gaps();
  std::sort(gaps->begin() + first, gaps->end(), [](const Gap& a, const Gap& b) {
    return std::tie(a.subject(), a.operation(), a.error(), a.consequence()) <
           std::tie(b.subject(), b.operation(), b.error(), b.consequence());
  });
  snapshot->mutable_statistics()->set_gaps(static_cast<uint32_t>(gaps->size()));
}

// What protobuf cannot write as JSON is no time that anything happened at.
void DropBadTimes(engines::Container* container) {
  if (!IsTime(container->created_at())) container->clear_created_at();
  if (!IsTime(container->started_at())) container->clear_started_at();
  if (!IsTime(container->finished_at())) container->clear_finished_at();
}

}  // namespace

bool IsTime(const google::protobuf::Timestamp& time) {
  constexpr int64_t kMinSeconds = -62135596800;
  constexpr int64_t kMaxSeconds = 253402300799;
  constexpr int32_t kMaxNanos = 999999999;
  return time.seconds() >= kMinSeconds && time.seconds() <= kMaxSeconds && time.nanos() >= 0 &&
         time.nanos() <= kMaxNanos;
}

void LinkContainers(const engines::Containers& containers, Snapshot* snapshot) {
  engines::Containers sorted = containers;
  engines::SortContainers(&sorted);
  for (engines::Container& container : *sorted.mutable_containers()) DropBadTimes(&container);
  snapshot->mutable_engines()->Swap(sorted.mutable_engines());
  snapshot->mutable_containers()->Swap(sorted.mutable_containers());
  snapshot->mutable_pods()->Swap(sorted.mutable_pods());
  snapshot->mutable_options()->set_containers(true);
  snapshot->mutable_statistics()->set_containers(
      static_cast<uint32_t>(snapshot->containers_size()));
  const ContainerLinks links = FindContainerLinks(*snapshot);
  for (int i = 0; i < snapshot->processes_size(); ++i) {
    Process& process = *snapshot->mutable_processes(i);
    process.clear_container();
    const int container = links.of_process[static_cast<size_t>(i)];
    if (container != ContainerLinks::kNone) {
      process.set_container(static_cast<uint32_t>(container));
    }
  }
  AddGaps(sorted, links, snapshot);
}

void AppendGaps(const engines::Containers& containers, Gaps* gaps) {
  for (const engines::EngineGap& gap : containers.gaps()) {
    AddGap(gap.subject(), gap.operation(), gap.error(), gap.consequence(), 1, gaps);
  }
}

bool IsOfEngine(const Gap& gap, const Snapshot& snapshot) {
  // The path of a socket that could not be asked.
  if (!gap.subject().empty() && gap.subject()[0] == '/') return true;
  return std::any_of(snapshot.engines().begin(), snapshot.engines().end(),
                     [&](const engines::Engine& engine) { return engine.key() == gap.subject(); });
}

const engines::Container* ContainerOf(const Snapshot& snapshot, const Process& process) {
  if (!process.has_container() ||
      process.container() >= static_cast<uint32_t>(snapshot.containers_size())) {
    return nullptr;
  }
  return &snapshot.containers(static_cast<int>(process.container()));
}

}  // namespace nsctl::nsdisc
