#include "engines/lxc/lxc_engines.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_finder.h"
#include "engines/engine_rights.h"
#include "engines/engine_watcher.h"
#include "engines/lxc/lxc_client.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {
namespace {

// 0 where it cannot be read: then all count as inside.
uint64_t OwnPidNamespace(const procfsroot::Procfs& procfs) {
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return 0;
  return ReadNamespaceInode(*self, "pid").value_or(0);
}

}  // namespace

LxcEngines::LxcEngines(const procfsroot::Procfs& procfs, ContainerHub* hub, EnginesOptions options)
    : procfs_(procfs),
      hub_(hub),
      options_(std::move(options)),
      own_pid_namespace_(OwnPidNamespace(procfs)) {}

std::vector<std::shared_ptr<EngineWatcher>> LxcEngines::Follow(
    const std::vector<FoundMonitor>& found) {
  std::vector<New> places;
  std::set<ProcessId> known;
  for (const FoundMonitor& one : found) {
    const ProcessId id(one.process.pid.value, one.process.start_time);
    if (!known_.contains(id)) {
      // Where it is none, or none yet, it is looked at again.
      auto monitor = Monitor::Find(procfs_, one.process, one.path, one.name);
      if (!monitor.ok() || !MayFollow((*monitor)->place())) continue;
      FollowOne(*std::move(monitor), &places);
    }
    known.insert(id);
  }
  known_ = std::move(known);
  // Each begins with all of its monitors.
  std::vector<std::shared_ptr<EngineWatcher>> watchers;
  watchers.reserve(places.size());
  for (const New& place : places) watchers.push_back(MakeWatcher(place.monitors, *place.first));
  return watchers;
}

bool LxcEngines::MayFollow(const Place& place) {
  std::erase_if(places_, [](const auto& one) { return one.second.expired(); });
  if (places_.contains(place)) return true;
  const auto inside = std::count_if(places_.begin(), places_.end(), [&place](const auto& one) {
    return one.first.pid_namespace == place.pid_namespace;
  });
  const bool outside = place.pid_namespace == own_pid_namespace_;
  return places_.size() < options_.max_engines &&
         (outside || static_cast<size_t>(inside) < options_.max_engines_inside);
}

void LxcEngines::FollowOne(std::shared_ptr<const Monitor> monitor, std::vector<New>* places) {
  std::weak_ptr<Monitors>& place = places_[monitor->place()];
  if (const auto monitors = place.lock(); monitors != nullptr && monitors->Add(monitor)) return;
  auto monitors = Monitors::Make(procfs_, monitor);
  if (!monitors.ok()) return;
  place = *monitors;
  places->push_back({*std::move(monitors), std::move(monitor)});
}

std::shared_ptr<EngineWatcher> LxcEngines::MakeWatcher(const std::shared_ptr<Monitors>& monitors,
                                                       const Monitor& first) const {
  Engine engine;
  engine.set_type(Engine::lxc);
  engine.set_pid(first.process().pid());
  engine.set_start_time(first.process().start_time());
  SetStanding(procfs_, base::Pid{engine.pid()}, &engine);
  engine.set_key(
      absl::StrCat(TypeName(engine.type()), ":", engine.pid(), "@", engine.start_time()));
  ClientOptions options;
  options.look_for_monitors = options_.look_for_monitors;
  options.interval = options_.interval;
  options.set_gaps = [hub = hub_, key = engine.key()](std::vector<EngineGap> gaps) {
    for (EngineGap& gap : gaps) gap.set_subject(key);
    hub->SetGaps(absl::StrCat(key, " monitors"), std::move(gaps));
  };
  return std::make_shared<EngineWatcher>(
      engine, std::make_unique<LxcClient>(procfs_, monitors, std::move(options)),
      std::make_unique<MonitorsFinder>(monitors), std::make_shared<MonitorsLife>(monitors), hub_,
      options_.watcher);
}

}  // namespace nsctl::engines::lxc
