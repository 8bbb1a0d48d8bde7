// How the containers of Incus and LXD are followed while they change, and whatever the server does.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_watcher.h"
#include "engines/fake_http_server.h"
#include "engines/incus/fake_incus.h"
#include "engines/incus/incus_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines::incus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kLong = absl::Seconds(30);

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kLong;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class IncusWatchTest : public ::testing::Test {
 protected:
  void Watch() {
    WatcherOptions options;
    options.min_backoff = absl::Milliseconds(1);
    options.max_backoff = absl::Milliseconds(10);
    options.call_timeout = call_timeout_;
    options.sync.list_interval = absl::Milliseconds(1);
    Engine engine;
    engine.set_key("lxd:1@1");
    engine.set_type(Engine::lxd);
    watcher_ = std::make_unique<EngineWatcher>(engine, MakeIncusClient(incus_.connector()),
                                               incus_.MakeFinder(), nullptr, &hub_, options);
  }
  void WatchAndSync() {
    Watch();
    ASSERT_TRUE(Await([this] { return IsReady(); }));
  }
  bool IsReady() {
    const Containers current = hub_.Current();
    return current.engines_size() > 0 && current.engines(0).state() == Engine::ready;
  }
  // "web 100 running", in order of names.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = hub_.Current();
    for (const Container& container : current.containers()) {
      known.push_back(
          absl::StrCat(container.name(), " ", container.pid(), " ", StateName(container.state())));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }
  // All changes of containers so far: "started web".
  std::vector<std::string> Changes() {
    while (true) {
      auto batch = subscription_->Next(absl::Now());
      if (!batch.ok()) return changes_;
      for (const Change& change : batch->changes) {
        if (!change.has_container()) continue;
        changes_.push_back(
            absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
      }
    }
  }

  absl::Duration call_timeout_ = absl::Seconds(5);
  FakeIncus incus_;
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  std::vector<std::string> changes_;
  std::unique_ptr<EngineWatcher> watcher_;
};

TEST_F(IncusWatchTest, FollowsALife) {
  incus_.Start("web");
  WatchAndSync();
  incus_.Restart("web");
  ASSERT_TRUE(AwaitKnown({"web 101 running"}));
  incus_.Exec("web");
  incus_.SetPaused("web", true);
  incus_.SetConfig("web", "user.role", "front");
  ASSERT_TRUE(Await([this] {
    const Containers current = hub_.Current();
    return current.containers_size() == 1 && current.containers(0).labels_size() == 1;
  }));
  incus_.SetPaused("web", false);
  ASSERT_TRUE(AwaitKnown({"web 101 running"}));
  incus_.Shutdown("web");
  ASSERT_TRUE(AwaitKnown({}));
  incus_.Rename("web", "shop");
  incus_.Start("shop");
  ASSERT_TRUE(AwaitKnown({"shop 102 running"}));
  incus_.Shutdown("shop");
  incus_.Remove("shop");
  ASSERT_TRUE(AwaitKnown({}));

  EXPECT_THAT(Changes(),
              ElementsAre("started web", "exited web", "started web", "paused web", "updated web",
                          "unpaused web", "exited web", "started shop", "exited shop"));
  EXPECT_TRUE(Await([this] { return incus_.pongs() == 1; }));
}

TEST_F(IncusWatchTest, LosesNothingBetweenAcceptanceAndList) {
  incus_.Start("web");
  std::atomic<bool> done = false;
  incus_.OnList([this, &done] {
    if (done.exchange(true)) return;
    incus_.Shutdown("web");
    incus_.Start("late");
    incus_.SetPaused("late", true);
  });
  Watch();

  EXPECT_TRUE(AwaitKnown({"late 101 paused"}));
  incus_.OnList(nullptr);
}

TEST_F(IncusWatchTest, TellsOneFromAnotherOfTheSameName) {
  WatchAndSync();
  incus_.Start("web");
  ASSERT_TRUE(AwaitKnown({"web 100 running"}));
  const std::string first = hub_.Current().containers(0).id();
  incus_.Shutdown("web");
  incus_.Remove("web");
  incus_.Start("web");
  ASSERT_TRUE(AwaitKnown({"web 101 running"}));
  const std::string second = hub_.Current().containers(0).id();
  // Both have it in turn.
  incus_.Shutdown("web");
  incus_.Rename("web", "old");
  incus_.Start("web");
  incus_.Start("old");
  ASSERT_TRUE(AwaitKnown({"old 103 running", "web 102 running"}));

  EXPECT_NE(first, second);
  const Containers current = hub_.Current();
  for (const Container& container : current.containers()) {
    EXPECT_EQ(container.id() == second, container.name() == "old");
  }
}

TEST_F(IncusWatchTest, TakesANameThatChangedWhileItListedAsItIs) {
  incus_.Start("web");
  WatchAndSync();
  std::atomic<bool> begun = false;
  std::atomic<bool> done = false;
  incus_.OnList([this, &begun, &done] {
    if (begun.exchange(true)) return;
    incus_.Shutdown("web");
    incus_.Remove("web");
    incus_.Start("web");
    // The list goes out when its events were taken in.
    Await([this] { return Known() == std::vector<std::string>{"web 101 running"}; });
    done = true;
  });
  incus_.SendEvent("{}");
  ASSERT_TRUE(Await([&done] { return done.load(); }));

  EXPECT_TRUE(AwaitKnown({"web 101 running"}));
  incus_.SetPaused("web", true);
  EXPECT_TRUE(AwaitKnown({"web 101 paused"}));
  incus_.OnList(nullptr);
}

TEST_F(IncusWatchTest, TakesGarbageForLoss) {
  WatchAndSync();
  incus_.SetMute(true);
  incus_.Start("missed");
  incus_.SetMute(false);
  incus_.SendEvent("{\"type\":\"lifecycle\",\"metad");

  EXPECT_TRUE(AwaitKnown({"missed 100 running"}));
  EXPECT_EQ(incus_.Requests("/1.0/events"), 1);
}

TEST_F(IncusWatchTest, LooksAgainWhenAProfileChanges) {
  incus_.Start("web");
  WatchAndSync();
  incus_.SetMute(true);
  incus_.SetConfig("web", "user.role", "front");
  incus_.SetMute(false);
  incus_.SendEvent(
      R"({"type":"lifecycle","metadata":{"action":"profile-updated","source":"/1.0/profiles/x"}})");

  EXPECT_TRUE(Await([this] { return hub_.Current().containers(0).labels_size() == 1; }));
}

TEST_F(IncusWatchTest, ConnectsAgainAfterAServerThatBreaksTheProtocol) {
  incus_.Start("web");
  WatchAndSync();
  incus_.SendRaw("\x81\x85mask garbage");
  ASSERT_TRUE(Await([this] { return incus_.Requests("/1.0/events") >= 2; }));
  incus_.Start("next");

  EXPECT_TRUE(AwaitKnown({"next 101 running", "web 100 running"}));
  EXPECT_EQ(std::count(changes_.begin(), changes_.end(), "exited web"), 0);
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started web"), 1);
}

TEST_F(IncusWatchTest, IsToldAgainWhatItMissedWhileTheStreamWasDown) {
  incus_.Start("db");
  incus_.Start("web");
  WatchAndSync();
  incus_.Refuse(true);
  incus_.EndStreams();
  ASSERT_TRUE(Await([this] { return !IsReady(); }));
  incus_.Restart("db");
  incus_.Start("new");
  ASSERT_TRUE(Await([this] { return Changes().size() == 3; }));
  incus_.Refuse(false);

  ASSERT_TRUE(AwaitKnown({"db 102 running", "new 103 running", "web 101 running"}));
  ASSERT_TRUE(Await([this] { return IsReady(); }));
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started web"), 1);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started db"), 2);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "exited db"), 1);
}

TEST_F(IncusWatchTest, TellsRepeatedEventsOnce) {
  WatchAndSync();
  incus_.Start("web");
  ASSERT_TRUE(AwaitKnown({"web 100 running"}));
  for (int i = 0; i < 5; ++i) incus_.SetPaused("web", true);
  ASSERT_TRUE(AwaitKnown({"web 100 paused"}));
  incus_.Shutdown("web");
  incus_.SendEvent(R"({"metadata":{"action":"instance-shutdown","source":"/1.0/instances/web"}})");
  ASSERT_TRUE(AwaitKnown({}));
  incus_.Start("last");
  ASSERT_TRUE(AwaitKnown({"last 101 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "paused web", "exited web", "started last"));
}

TEST_F(IncusWatchTest, DoesNotTakeALostMonitorForAnEnd) {
  incus_.Start("web");
  WatchAndSync();
  incus_.SetMember("web", "status_code", 112);
  const int lists = incus_.Requests("recursion=2");
  incus_.SendEvent("{}");
  ASSERT_TRUE(Await([&] { return incus_.Requests("recursion=2") > lists; }));
  ASSERT_TRUE(Await([&] { return incus_.Requests("recursion=1") > 0; }));
  incus_.Start("next");
  ASSERT_TRUE(AwaitKnown({"next 101 running", "web 100 running"}));
  EXPECT_THAT(Changes(), ElementsAre("started web", "started next"));

  // The kernel says so, whatever the server cannot tell.
  incus_.Kill("web");
  EXPECT_TRUE(AwaitKnown({"next 101 running"}));
}

TEST_F(IncusWatchTest, KeepsHostileNamesApart) {
  incus_.Start("shop/web");
  incus_.SetConfig("shop/web", "user.a", "a\\b\x1b[2J");
  WatchAndSync();
  // They would be other paths.
  for (const char* name : {"..", ".", "a%2fb", "%2e%2e"}) {
    incus_.SendEvent(absl::StrCat(
        R"({"metadata":{"action":"instance-started","source":"/1.0/instances/)", name, "\"}}"));
  }
  incus_.SendEvent(absl::StrCat(R"({"metadata":{"action":"instance-started","source":)"
                                R"("/1.0/instances/)",
                                std::string(5000, 'x'), "\"}}"));
  incus_.Start("last");

  ASSERT_TRUE(AwaitKnown({"last 101 running", "web 100 running"}));
  const Containers current = hub_.Current();
  EXPECT_EQ(current.containers(1).labels(0).value(), "a\\\\b\x1b[2J");
  EXPECT_EQ(incus_.Requests("/.."), 0);
  EXPECT_EQ(incus_.Requests("xxxx"), 0);
}

TEST_F(IncusWatchTest, SaysWhyADaemonThatHangsIsNotKnown) {
  call_timeout_ = absl::Milliseconds(30);
  incus_.Answer("/1.0", [](FakeConnection& connection) { connection.AwaitEnd(); });
  Watch();

  ASSERT_TRUE(watcher_->AwaitFirstResult(absl::Now() + kLong));
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).state(), Engine::degraded);
  EXPECT_EQ(current.engines(0).reason(), "DEADLINE_EXCEEDED: /1.0: no answer in time");
  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(IncusWatchTest, ListsTwiceWhereNothingSaysThatItIsSubscribed) {
  incus_.SetOld(true);
  incus_.Start("web");
  WatchAndSync();

  EXPECT_EQ(incus_.Requests("/1.0/events"), 2);
  EXPECT_EQ(incus_.Requests("recursion=2"), 2);
  incus_.Start("next");
  EXPECT_TRUE(AwaitKnown({"next 101 running", "web 100 running"}));
}

TEST_F(IncusWatchTest, LooksAgainForAnEventThatCameTooLate) {
  incus_.Start("web");
  WatchAndSync();
  incus_.SetPaused("web", true);
  incus_.SetPaused("web", false);
  // Goes out last, and happened first.
  const std::string time = absl::FormatTime(
      absl::RFC3339_full, absl::Now() - absl::Milliseconds(100), absl::UTCTimeZone());
  incus_.SendEvent(
      absl::StrCat(R"({"timestamp":")", time,
                   R"(","metadata":{"action":"instance-paused","source":"/1.0/instances/web"}})"));
  incus_.Start("next");

  EXPECT_TRUE(AwaitKnown({"next 101 running", "web 100 running"}));
  EXPECT_TRUE(Await([this] { return incus_.Requests("/1.0/instances/web?") == 1; }));
}

TEST_F(IncusWatchTest, SyncsAThousandContainersWithOneList) {
  for (int i = 0; i < 1000; ++i) incus_.Start(absl::StrCat("c", i));
  incus_.SetLatency(absl::Milliseconds(1));
  const absl::Time start = absl::Now();

  WatchAndSync();
  const absl::Duration took = absl::Now() - start;

  EXPECT_EQ(Known().size(), 1000);
  EXPECT_EQ(incus_.Requests("/1.0/instances"), 1);
  // A second on an idle machine; sanitizers and neighbours take their share.
  EXPECT_LT(took, absl::Seconds(10));
  RecordProperty("milliseconds", static_cast<int>(absl::ToInt64Milliseconds(took)));
}

}  // namespace
}  // namespace nsctl::engines::incus
