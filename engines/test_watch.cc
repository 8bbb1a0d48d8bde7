#include "engines/test_watch.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/engine_watcher.h"

namespace nsctl::engines {

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kLong;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

CallLimits LimitsFor(absl::Duration time) { return {.deadline = absl::Now() + time}; }

void WatchTest::Watch(Engine::Type type, std::unique_ptr<EngineClient> client,
                      std::unique_ptr<ProcessFinder> finder) {
  WatcherOptions options;
  options.min_backoff = absl::Milliseconds(1);
  options.max_backoff = absl::Milliseconds(10);
  options.call_timeout = call_timeout_;
  options.sync.list_interval = absl::Milliseconds(5);
  Engine engine;
  engine.set_key(absl::StrCat(TypeName(type), ":1@1"));
  engine.set_type(type);
  watcher_ = std::make_unique<EngineWatcher>(engine, std::move(client), std::move(finder), nullptr,
                                             &hub_, options);
}

bool WatchTest::IsReady() const {
  const Containers current = hub_.Current();
  return current.engines_size() > 0 && current.engines(0).state() == Engine::ready;
}

std::vector<std::string> WatchTest::Known(
    const std::function<std::string(const Container&)>& describe) const {
  std::vector<std::string> known;
  const Containers current = hub_.Current();
  for (const Container& container : current.containers()) known.push_back(describe(container));
  std::sort(known.begin(), known.end());
  return known;
}

std::vector<std::string> WatchTest::Changes() {
  while (true) {
    auto batch = subscription_->Next(absl::Now());
    if (!batch.ok()) return changes_;
    for (const Change& change : batch->changes) {
      if (!change.has_container()) continue;
      changes_.push_back(
          absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
      if (change.container().has_exit_code()) {
        absl::StrAppend(&changes_.back(), " ", change.container().exit_code());
      }
    }
  }
}

std::function<void()> Once(std::function<void()> hook) {
  return [hook = std::move(hook), done = std::make_shared<std::atomic<bool>>(false)] {
    if (!done->exchange(true)) hook();
  };
}

}  // namespace nsctl::engines
