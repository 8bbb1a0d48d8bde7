#include "engines/engine_watcher.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container_hub.h"
#include "engines/engine_client.h"
#include "engines/fake_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StatusIs;
using Kind = EngineEvent::Kind;

constexpr absl::Duration kLong = absl::Seconds(30);

absl::Time Soon() { return absl::Now() + kLong; }

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = Soon();
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class EngineWatcherTest : public ::testing::Test {
 protected:
  EngineWatcherTest() {
    options_.min_backoff = absl::Milliseconds(1);
    options_.max_backoff = absl::Milliseconds(4);
    options_.random = [] { return 0.0; };
  }

  void Watch() {
    subscription_ = hub_.Subscribe();
    Engine engine;
    engine.set_key("fake:1@1");
    watcher_ = std::make_unique<EngineWatcher>(engine, engine_.MakeClient(), engine_.MakeFinder(),
                                               engine_process_, &hub_, options_);
  }
  void WatchAndSync() {
    Watch();
    ASSERT_TRUE(Await([this] { return StateOfEngine() == Engine::ready; }));
  }

  Engine::State StateOfEngine() {
    const Containers current = hub_.Current();
    return current.engines().empty() ? Engine::gone : current.engines(0).state();
  }
  std::string ReasonOfEngine() { return hub_.Current().engines(0).reason(); }

  // "web running", in order.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = hub_.Current();
    for (const Container& container : current.containers()) {
      known.push_back(absl::StrCat(container.name(), " ", StateName(container.state())));
    }
    return known;
  }

  // The next change of a container: "started web".
  std::string NextChange() {
    while (true) {
      if (changes_.empty()) {
        auto batch = subscription_->Next(Soon());
        if (!batch.ok()) return batch.status().ToString();
        for (Change& change : batch->changes) {
          if (change.has_container()) changes_.push_back(std::move(change));
        }
        continue;
      }
      const Change change = changes_.front();
      changes_.erase(changes_.begin());
      std::string text =
          absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name());
      if (change.container().has_exit_code()) {
        absl::StrAppend(&text, " ", change.container().exit_code());
      }
      return text;
    }
  }

  FakeEngine engine_;
  ContainerHub hub_;
  std::shared_ptr<FakeProcess> engine_process_;
  WatcherOptions options_;
  std::unique_ptr<ContainerHub::Subscription> subscription_;
  std::vector<Change> changes_;
  std::unique_ptr<EngineWatcher> watcher_;
};

TEST_F(EngineWatcherTest, FollowsTheLivesOfContainers) {
  engine_.Start("db");
  WatchAndSync();
  EXPECT_EQ(NextChange(), "started db");
  engine_.Start("web");
  EXPECT_EQ(NextChange(), "started web");
  engine_.SetPaused("web", true);
  EXPECT_EQ(NextChange(), "paused web");
  EXPECT_THAT(Known(), ElementsAre("db running", "web paused"));
  engine_.SetPaused("web", false);
  EXPECT_EQ(NextChange(), "unpaused web");
  engine_.Die("web", 137);
  EXPECT_EQ(NextChange(), "exited web 137");

  EXPECT_THAT(Known(), ElementsAre("db running"));
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).id(), "fake");
  EXPECT_EQ(current.containers(0).pid(), 100);
  EXPECT_EQ(current.containers(0).engine(), "fake:1@1");
}

TEST_F(EngineWatcherTest, HearsOfEndsFromTheKernel) {
  const auto process = engine_.Start("web");
  engine_.Start("db");
  WatchAndSync();
  NextChange();
  NextChange();
  FakeEngine::Faults faults;
  faults.mute = true;
  engine_.SetFaults(faults);

  engine_.Die("web", 3);

  EXPECT_EQ(NextChange(), "exited web 3");
}

TEST_F(EngineWatcherTest, ReconnectsAndTellsDifferencesAlone) {
  engine_.Start("db");
  engine_.Start("web");
  WatchAndSync();
  NextChange();
  NextChange();
  FakeEngine::Faults faults;
  faults.identify = absl::UnavailableError("not now");
  engine_.SetFaults(faults);
  engine_.EndStreams();
  ASSERT_TRUE(Await([this] { return StateOfEngine() == Engine::degraded; }));
  ASSERT_TRUE(Await([this] { return ReasonOfEngine() == "not now"; }));
  // What was known stays.
  EXPECT_THAT(Known(), ElementsAre("db running", "web running"));
  engine_.Die("db", 1);
  EXPECT_EQ(NextChange(), "exited db");
  engine_.Start("new");

  engine_.SetFaults({});

  EXPECT_EQ(NextChange(), "started new");
  ASSERT_TRUE(Await([this] { return StateOfEngine() == Engine::ready; }));
  EXPECT_EQ(hub_.Current().engines(0).reason(), "");
  engine_.Die("web", 2);
  EXPECT_EQ(NextChange(), "exited web 2");
}

TEST_F(EngineWatcherTest, CostsAHangingEngineItsDeadline) {
  options_.call_timeout = absl::Milliseconds(20);
  options_.list_timeout = absl::Milliseconds(20);
  // No further attempt meanwhile.
  options_.min_backoff = options_.max_backoff = kLong;
  struct Case {
    const char* name;
    FakeEngine::Faults faults;
  };
  for (const Case& row : {
           Case{"identify", {.identify_hangs = true}},
           Case{"list", {.list_hangs = true}},
       }) {
    SCOPED_TRACE(row.name);
    engine_.SetFaults(row.faults);
    Watch();

    ASSERT_TRUE(watcher_->AwaitFirstResult(Soon()));
    EXPECT_EQ(StateOfEngine(), Engine::degraded);
    EXPECT_EQ(ReasonOfEngine(), "DEADLINE_EXCEEDED: no answer in time");
    watcher_.reset();
  }
}

TEST_F(EngineWatcherTest, ShowsContainersThatHangWhenInspected) {
  options_.call_timeout = absl::Milliseconds(20);
  engine_.SetFaults({.inspect_hangs = true, .partial_lists = true});
  engine_.Start("web");
  WatchAndSync();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 1);
  EXPECT_EQ(current.containers(0).pid(), 0);
  EXPECT_EQ(current.containers(0).pid_error(), "DEADLINE_EXCEEDED");
  ASSERT_EQ(current.gaps_size(), 1);
  EXPECT_EQ(current.gaps(0).consequence(), "1 containers are known by the engine's list alone");
}

TEST_F(EngineWatcherTest, EndsWhileEverythingHangs) {
  for (const FakeEngine::Faults& faults :
       {FakeEngine::Faults{.identify_hangs = true}, FakeEngine::Faults{.list_hangs = true},
        FakeEngine::Faults{.inspect_hangs = true, .partial_lists = true}}) {
    engine_.SetFaults(faults);
    engine_.Start("web");
    const int attempts = engine_.attempts();
    Watch();
    ASSERT_TRUE(Await([&] { return engine_.attempts() > attempts; }));
    const absl::Time start = absl::Now();
    watcher_.reset();

    EXPECT_LT(absl::Now() - start, options_.call_timeout);
  }
}

TEST_F(EngineWatcherTest, HearsOfARaceInTheMiddleOfAList) {
  engine_.Start("web");
  std::atomic<bool> done = false;
  engine_.OnList([this, &done] {
    if (done.exchange(true)) return;
    engine_.SetPaused("web", true);
    engine_.Die("web", 1);
    engine_.Start("web");
    engine_.SetPaused("web", true);
  });
  WatchAndSync();

  ASSERT_TRUE(Await([this] { return Known() == std::vector<std::string>{"web paused"}; }));
  EXPECT_EQ(hub_.Current().containers(0).pid(), 101);
}

TEST_F(EngineWatcherTest, InspectsManyAtATimeAndNoMoreThanAllowed) {
  engine_.SetFaults({.partial_lists = true});
  engine_.SetLatency(absl::Milliseconds(1));
  for (int i = 0; i < 200; ++i) engine_.Start(absl::StrCat("c", i));
  options_.max_calls = 8;
  WatchAndSync();

  EXPECT_EQ(hub_.Current().containers_size(), 200);
  EXPECT_EQ(engine_.inspections(), 200);
  EXPECT_LE(engine_.most_inspections(), 8);
  EXPECT_GE(engine_.most_inspections(), 2);
}

TEST_F(EngineWatcherTest, StandsAFloodOfEvents) {
  engine_.Start("web");
  options_.max_events = 100;
  WatchAndSync();
  NextChange();

  for (int i = 0; i < 20; ++i) {
    engine_.Tell({.kind = Kind::kUpdated, .container = {"", "web"}}, 1000);
    engine_.Tell({.kind = Kind::kStarted, .container = {"", absl::StrCat("no", i)}}, 1000);
  }
  engine_.Die("web", 4);

  EXPECT_EQ(NextChange(), "exited web 4");
  // Each container has one inspection at a time, and what was lost is listed a few times.
  EXPECT_LT(engine_.lists(), 10);
}

TEST_F(EngineWatcherTest, RefusesAListThatIsTooLong) {
  options_.max_containers = 2;
  // No further attempt meanwhile.
  options_.min_backoff = options_.max_backoff = kLong;
  for (const char* id : {"a", "b", "c"}) engine_.Start(id);
  Watch();

  ASSERT_TRUE(watcher_->AwaitFirstResult(Soon()));
  EXPECT_EQ(ReasonOfEngine(), "RESOURCE_EXHAUSTED: lists more than 2 containers");
  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(EngineWatcherTest, EndsWithItsEngineAndTheLastOfItsContainers) {
  engine_process_ = std::make_shared<FakeProcess>(1, 1);
  const auto web = engine_.Start("web");
  const auto db = engine_.Start("db");
  WatchAndSync();
  NextChange();
  NextChange();

  // One ends together with the engine, the other one later.
  db->End();
  engine_process_->End();

  EXPECT_EQ(NextChange(), "exited db");
  ASSERT_TRUE(Await([this] { return hub_.Current().engines().empty(); }));
  EXPECT_THAT(hub_.Current().containers(), IsEmpty());
  EXPECT_FALSE(watcher_->gone());
  web->End();
  EXPECT_EQ(NextChange(), "exited web");
  ASSERT_TRUE(Await([this] { return watcher_->gone(); }));
  EXPECT_THAT(subscription_->Next(absl::Now()), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(EngineWatcherTest, LeavesWhatOutlivesItsEngineToOthersThatKnowIt) {
  engine_process_ = std::make_shared<FakeProcess>(1, 1);
  const auto web = engine_.Start("web");
  WatchAndSync();
  NextChange();
  engine_process_->End();
  ASSERT_TRUE(Await([this] { return hub_.Current().engines().empty(); }));
  EXPECT_FALSE(watcher_->gone());

  Change change;
  change.set_kind(Change::started);
  change.mutable_container()->set_id("web");
  change.mutable_container()->set_state(Container::running);
  change.mutable_container()->set_pid(web->pid());
  change.mutable_container()->set_start_time(web->start_time());
  hub_.Publish("other", {change});

  EXPECT_TRUE(watcher_->gone());
}

TEST_F(EngineWatcherTest, NoticesAnEngineThatStopsAnswering) {
  options_.quiet_time = absl::Milliseconds(5);
  options_.call_timeout = absl::Milliseconds(20);
  const auto web = engine_.Start("web");
  engine_.Start("db");
  WatchAndSync();
  NextChange();
  NextChange();
  // It is asked, and answers.
  const int attempts = engine_.attempts();
  ASSERT_TRUE(Await([&] { return engine_.attempts() > attempts + 2; }));
  EXPECT_EQ(StateOfEngine(), Engine::ready);
  EXPECT_EQ(engine_.streams(), 1);

  // Its stream does not end.
  engine_.SetFaults({.identify_hangs = true});
  ASSERT_TRUE(Await([this] { return StateOfEngine() == Engine::degraded; }));
  EXPECT_EQ(ReasonOfEngine(), "DEADLINE_EXCEEDED: no answer in time");
  EXPECT_THAT(Known(), ElementsAre("db running", "web running"));
  web->End();
  EXPECT_EQ(NextChange(), "exited web");
  engine_.SetFaults({});
  ASSERT_TRUE(Await([this] { return StateOfEngine() == Engine::ready; }));
  engine_.Die("db", 3);

  EXPECT_EQ(NextChange(), "exited db 3");
}

TEST_F(EngineWatcherTest, IsIdleWhenNothingHappens) {
  for (int i = 0; i < 100; ++i) engine_.Start(absl::StrCat("c", i));
  WatchAndSync();
  const int lists = engine_.lists();
  const int inspections = engine_.inspections();

  absl::SleepFor(absl::Milliseconds(100));

  EXPECT_EQ(engine_.lists(), lists);
  EXPECT_EQ(engine_.inspections(), inspections);
}

}  // namespace
}  // namespace nsctl::engines
