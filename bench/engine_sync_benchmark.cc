// The containers of one engine, first known and followed, against the engine's answers alone.
//
// The engine is a fake in this process that takes 1 ms for each inspection. BM_FirstSync<lists>/N
// is from no connection until all N containers are published: `Whole` where lists have the PIDs,
// so that nothing is inspected, `Partial` where each container is inspected once. The budget for
// 1,000 is 1 s. BM_FirstSync_Floor is the same calls, so many at a time, and nothing else.
// BM_State/N is the list alone as the logic takes it in; BM_EventToSubscriber/N is one change from
// the engine to whoever subscribed, of which the budget's median is 5 ms and the fake takes up
// to 1.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_client.h"
#include "engines/engine_watcher.h"
#include "engines/fake_engine.h"
#include "engines/stop_signal.h"
#include "engines/sync_state.h"

namespace nsctl::engines {
namespace {

constexpr absl::Duration kLatency = absl::Milliseconds(1);
constexpr absl::Duration kLong = absl::Seconds(60);

// With `count` containers.
std::unique_ptr<FakeEngine> MakeEngine(int64_t count, bool partial_lists) {
  auto engine = std::make_unique<FakeEngine>();
  for (int64_t i = 0; i < count; ++i) engine->Start(absl::StrCat("container-", i));
  engine->SetFaults({.partial_lists = partial_lists});
  engine->SetLatency(kLatency);
  return engine;
}

std::unique_ptr<EngineWatcher> Watch(FakeEngine* engine, ContainerHub* hub) {
  Engine who;
  who.set_key("fake:1@1");
  return std::make_unique<EngineWatcher>(who, engine->MakeClient(), engine->MakeFinder(), nullptr,
                                         hub, WatcherOptions());
}

void FirstSync(benchmark::State& state, bool partial_lists) {
  const std::unique_ptr<FakeEngine> engine = MakeEngine(state.range(0), partial_lists);
  for (auto _ : state) {
    ContainerHub hub;
    std::unique_ptr<EngineWatcher> watcher = Watch(engine.get(), &hub);
    if (!watcher->AwaitFirstResult(absl::Now() + kLong)) state.SkipWithError("no result");
    state.PauseTiming();
    if (hub.Current().containers_size() != state.range(0)) {
      state.SkipWithError("containers are missing");
    }
    watcher.reset();
    state.ResumeTiming();
  }
  state.counters["inspections"] =
      static_cast<double>(engine->inspections()) / static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_FirstSync_Whole(benchmark::State& state) { FirstSync(state, false); }
BENCHMARK(BM_FirstSync_Whole)->Arg(100)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_FirstSync_Partial(benchmark::State& state) { FirstSync(state, true); }
BENCHMARK(BM_FirstSync_Partial)->Arg(100)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

// Lists, and inspects what was listed, as many at a time as a watcher does.
void BM_FirstSync_Floor(benchmark::State& state) {
  const std::unique_ptr<FakeEngine> engine = MakeEngine(state.range(0), true);
  const std::unique_ptr<EngineClient> client = engine->MakeClient();
  const StopSignal stop;
  for (auto _ : state) {
    const CallLimits limits{.deadline = absl::Now() + kLong, .stop = &stop};
    std::vector<std::string> ids;
    client
        ->List(limits,
               [&](EngineRow row) {
                 ids.push_back(row.container.id());
                 return absl::OkStatus();
               })
        .IgnoreError();
    std::atomic<size_t> next = 0;
    std::atomic<size_t> inspected = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < WatcherOptions().max_calls; ++i) {
      threads.emplace_back([&] {
        for (size_t at = next++; at < ids.size(); at = next++) {
          if (client->Inspect({"", ids[at]}, limits).ok()) ++inspected;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (inspected != ids.size()) state.SkipWithError("inspections failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FirstSync_Floor)->Arg(100)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

// What List gives, each with the process that it is.
std::vector<Sighting> ListOf(FakeEngine& engine, ProcessFinder& finder) {
  const StopSignal stop;
  std::vector<Sighting> list;
  engine.MakeClient()
      ->List({.deadline = absl::Now() + kLong, .stop = &stop},
             [&](EngineRow row) {
               auto process = finder.Find(row.container.engine_pid());
               if (!process.ok()) return process.status();
               list.push_back({std::move(row), *std::move(process), ""});
               return absl::OkStatus();
             })
      .IgnoreError();
  return list;
}

void BM_State_List(benchmark::State& state) {
  const std::unique_ptr<FakeEngine> engine = MakeEngine(state.range(0), false);
  const std::unique_ptr<ProcessFinder> finder = engine->MakeFinder();
  const std::vector<Sighting> list = ListOf(*engine, *finder);
  const absl::Time now = absl::Now();
  for (auto _ : state) {
    SyncState sync({.replays = true});
    sync.BeginAttempt(now);
    sync.Subscribed(now);
    const SyncActions actions = sync.Listed(sync.attempt(), list, now);
    if (actions.changes.size() != list.size()) state.SkipWithError("containers are missing");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_State_List)->Arg(1000)->Arg(2000)->Arg(4000);

// The same containers, copied into a map and copied out of it.
void BM_State_Floor(benchmark::State& state) {
  const std::unique_ptr<FakeEngine> engine = MakeEngine(state.range(0), false);
  const std::unique_ptr<ProcessFinder> finder = engine->MakeFinder();
  const std::vector<Sighting> list = ListOf(*engine, *finder);
  for (auto _ : state) {
    std::map<std::string, Sighting> known;
    std::vector<Change> changes;
    for (const Sighting& one : list) {
      known[one.row.container.id()] = one;
      Change change;
      change.set_kind(Change::started);
      *change.mutable_container() = one.row.container;
      changes.push_back(std::move(change));
    }
    benchmark::DoNotOptimize(changes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_State_Floor)->Arg(1000)->Arg(2000)->Arg(4000);

void BM_EventToSubscriber(benchmark::State& state) {
  const std::unique_ptr<FakeEngine> engine = MakeEngine(state.range(0), false);
  ContainerHub hub;
  const std::unique_ptr<EngineWatcher> watcher = Watch(engine.get(), &hub);
  if (!watcher->AwaitFirstResult(absl::Now() + kLong)) state.SkipWithError("no result");
  const std::unique_ptr<ContainerHub::Subscription> subscription = hub.Subscribe();
  bool paused = false;
  for (auto _ : state) {
    paused = !paused;
    engine->SetPaused("container-0", paused);
    bool told = false;
    while (!told) {
      const auto batch = subscription->Next(absl::Now() + kLong);
      if (!batch.ok()) {
        state.SkipWithError("nothing was told");
        break;
      }
      for (const Change& change : batch->changes) {
        told = told || change.kind() == (paused ? Change::paused : Change::unpaused);
      }
    }
  }
}
BENCHMARK(BM_EventToSubscriber)->Arg(1)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nsctl::engines
