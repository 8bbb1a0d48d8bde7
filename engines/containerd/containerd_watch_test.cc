// The races of lists and events, of a containerd that is followed.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/containerd/containerd_client.h"
#include "engines/containerd/fake_containerd.h"
#include "engines/fake_grpc_server.h"
#include "engines/test_watch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::containerd {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

const FakeContainerd::Id kWeb = {"default", "web"};

class ContainerdWatchTest : public WatchTest {
 protected:
  void Watch() {
    WatchTest::Watch(Engine::containerd, MakeContainerdClient(containerd_.connector()),
                     containerd_.MakeFinder());
  }
  void WatchAndSync() {
    Watch();
    ASSERT_TRUE(Await([this] { return IsReady(); }));
  }
  // "default/web 100 running", in order.
  std::vector<std::string> Known() {
    return WatchTest::Known([](const Container& container) {
      return absl::StrCat(container.native_namespace(), "/", container.name(), " ", container.pid(),
                          " ", StateName(container.state()));
    });
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }
  void InFirstList(std::function<void()> hook) { containerd_.OnList(Once(std::move(hook))); }

  FakeContainerd containerd_;
};

TEST_F(ContainerdWatchTest, FollowsALife) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.ExecExits(kWeb);
  containerd_.SetPaused(kWeb, true);
  ASSERT_TRUE(AwaitKnown({"default/web 100 paused"}));
  containerd_.SetPaused(kWeb, false);
  containerd_.SetLabel(kWeb, "nerdctl/name", "shop");
  ASSERT_TRUE(AwaitKnown({"default/shop 100 running"}));
  containerd_.Die(kWeb, 143);
  ASSERT_TRUE(AwaitKnown({}));
  containerd_.Remove(kWeb);
  containerd_.Start({"shop", "last"});
  ASSERT_TRUE(AwaitKnown({"shop/last 101 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "paused web", "unpaused web", "updated shop",
                                     "exited shop 143", "started last"));
}

TEST_F(ContainerdWatchTest, IsNotTheEndOfAnExec) {
  containerd_.Start(kWeb);
  WatchAndSync();
  for (int i = 0; i < 3; ++i) containerd_.ExecExits(kWeb);
  containerd_.SetLabel(kWeb, "nerdctl/name", "renamed");
  ASSERT_TRUE(AwaitKnown({"default/renamed 100 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "updated renamed"));
}

TEST_F(ContainerdWatchTest, TakesARebirthForAnotherLife) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.Die(kWeb, 1);
  containerd_.Remove(kWeb);
  containerd_.Start(kWeb);
  ASSERT_TRUE(AwaitKnown({"default/web 101 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "exited web 1", "started web"));
}

TEST_F(ContainerdWatchTest, DoesNotListTheDead) {
  containerd_.Start(kWeb);
  containerd_.Start({"default", "db"});
  InFirstList([this] { containerd_.Die(kWeb, 1); });
  WatchAndSync();

  EXPECT_TRUE(AwaitKnown({"default/db 101 running"}));
}

TEST_F(ContainerdWatchTest, KnowsWhatDiedAndCameBackDuringTheList) {
  containerd_.Start(kWeb);
  InFirstList([this] {
    containerd_.Die(kWeb, 1);
    containerd_.Start(kWeb);
  });
  Watch();

  EXPECT_TRUE(AwaitKnown({"default/web 101 running"}));
}

TEST_F(ContainerdWatchTest, KnowsWhatWasPausedDuringTheList) {
  containerd_.Start(kWeb);
  InFirstList([this] { containerd_.SetPaused(kWeb, true); });
  WatchAndSync();
  ASSERT_TRUE(AwaitKnown({"default/web 100 paused"}));
  containerd_.SetPaused(kWeb, false);

  EXPECT_TRUE(AwaitKnown({"default/web 100 running"}));
}

TEST_F(ContainerdWatchTest, IsNotPausedAfterARebirthDuringTheList) {
  containerd_.Start(kWeb);
  InFirstList([this] {
    containerd_.SetPaused(kWeb, true);
    containerd_.Die(kWeb, 1);
    containerd_.Start(kWeb);
  });
  WatchAndSync();

  EXPECT_TRUE(AwaitKnown({"default/web 101 running"}));
}

TEST_F(ContainerdWatchTest, IsPausedAfterARebirthAndAPauseDuringTheList) {
  containerd_.Start(kWeb);
  InFirstList([this] {
    containerd_.SetPaused(kWeb, true);
    containerd_.Die(kWeb, 1);
    containerd_.Start(kWeb);
    containerd_.SetPaused(kWeb, true);
  });
  WatchAndSync();

  EXPECT_TRUE(AwaitKnown({"default/web 101 paused"}));
}

TEST_F(ContainerdWatchTest, KnowsWhatOnlyItsEventsTell) {
  containerd_.Start({"default", "first"});
  InFirstList([this] {
    containerd_.Start({"new", "late"});
    containerd_.SetPaused({"new", "late"}, true);
  });
  Watch();

  EXPECT_TRUE(AwaitKnown({"default/first 100 running", "new/late 101 paused"}));
}

TEST_F(ContainerdWatchTest, TellsAStartOnceThoughListAndEventHaveIt) {
  containerd_.Start(kWeb);
  InFirstList([this] {
    for (int i = 0; i < 3; ++i) containerd_.RepeatLast();
  });
  WatchAndSync();
  containerd_.SetLabel(kWeb, "nerdctl/name", "last");
  ASSERT_TRUE(AwaitKnown({"default/last 100 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "updated last"));
}

TEST_F(ContainerdWatchTest, KnowsWhatCameBackAfterAListThatFailed) {
  containerd_.Start(kWeb);
  containerd_.Answer("Tasks/List",
                     [this, done = std::make_shared<std::atomic<bool>>(false)](
                         FakeGrpcCall& call) -> absl::Status {
                       if (done->exchange(true)) return containerd_.ServeTasks(call);
                       containerd_.Die(kWeb, 1);
                       return absl::InternalError("no list");
                     });
  Watch();
  ASSERT_TRUE(Await([this] { return containerd_.Calls("Tasks/List") > 0; }));
  containerd_.SetMute(true);
  ASSERT_TRUE(Await([this] { return containerd_.Calls("Tasks/List") > 1; }));
  containerd_.Start(kWeb);
  containerd_.SetMute(false);
  containerd_.EndStreams();

  EXPECT_TRUE(AwaitKnown({"default/web 101 running"}));
}

TEST_F(ContainerdWatchTest, DropsAListWhoseStreamEnded) {
  containerd_.Start(kWeb);
  InFirstList([this] {
    containerd_.EndConnections();
    containerd_.Die(kWeb, 1);
    containerd_.Start({"default", "new"});
  });
  Watch();

  EXPECT_TRUE(AwaitKnown({"default/new 101 running"}));
}

TEST_F(ContainerdWatchTest, KnowsTheNextLifeThoughItsEventsAreLost) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.SetMute(true);
  containerd_.Die(kWeb, 1);
  containerd_.Start(kWeb);

  // The kernel tells of the end.
  EXPECT_TRUE(AwaitKnown({"default/web 101 running"}));
  EXPECT_THAT(Changes(), ElementsAre("started web", "exited web", "started web"));
}

TEST_F(ContainerdWatchTest, StandsAFloodOfEvents) {
  containerd_.Start(kWeb);
  WatchAndSync();
  for (int i = 0; i < 20'000; ++i) {
    containerd_.SetPaused(kWeb, i % 2 == 0);
    containerd_.ExecExits(kWeb);
  }
  containerd_.SetPaused(kWeb, true);
  containerd_.Start({"default", "last"});

  EXPECT_TRUE(AwaitKnown({"default/last 101 running", "default/web 100 paused"}));
}

TEST_F(ContainerdWatchTest, DoesNotTakeAShimThatHangsForAnEnd) {
  containerd_.Start(kWeb);
  WatchAndSync();
  // What containerd answers where the shim does not.
  containerd_.EditTask(kWeb, [](auto* task) {
    task->set_status(0);
    task->set_pid(0);
  });
  containerd_.SetLabel(kWeb, "a", "b");
  const int lists = containerd_.Calls("Tasks/List");
  containerd_.SendRaw("garbage");
  ASSERT_TRUE(Await([&] { return containerd_.Calls("Tasks/List") > lists; }));
  containerd_.Start({"default", "last"});
  ASSERT_TRUE(AwaitKnown({"default/last 101 running", "default/web 100 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "started last"));
}

TEST_F(ContainerdWatchTest, TellsOfMemoryThatRanOut) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.RunOutOfMemory(kWeb);
  containerd_.Die(kWeb, 137);
  ASSERT_TRUE(AwaitKnown({}));

  bool told = false;
  while (true) {
    const auto batch = subscription_->Next(absl::Now());
    if (!batch.ok()) break;
    for (const Change& change : batch->changes) {
      if (change.kind() == Change::exited) told = change.container().oom_killed();
    }
  }
  EXPECT_TRUE(told);
}

TEST_F(ContainerdWatchTest, TellsRepeatedEventsOnce) {
  WatchAndSync();
  containerd_.Start(kWeb);
  for (int i = 0; i < 5; ++i) containerd_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({"default/web 100 running"}));
  containerd_.SetPaused(kWeb, true);
  for (int i = 0; i < 5; ++i) containerd_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({"default/web 100 paused"}));
  containerd_.Die(kWeb, 0);
  for (int i = 0; i < 5; ++i) containerd_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({}));
  containerd_.Start({"default", "last"});
  ASSERT_TRUE(AwaitKnown({"default/last 101 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "paused web", "exited web 0", "started last"));
}

TEST_F(ContainerdWatchTest, DoesNotTakeAnOldExitForANewOne) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.Die(kWeb, 1);
  const std::string old_exit = containerd_.LastEvent();
  containerd_.Start(kWeb);
  ASSERT_TRUE(AwaitKnown({"default/web 101 running"}));
  containerd_.SendRaw(old_exit);
  containerd_.SetLabel(kWeb, "nerdctl/name", "again");
  ASSERT_TRUE(AwaitKnown({"default/again 101 running"}));

  EXPECT_THAT(Changes(),
              ElementsAre("started web", "exited web 1", "started web", "updated again"));
}

TEST_F(ContainerdWatchTest, TakesGarbageForLoss) {
  WatchAndSync();
  containerd_.SetMute(true);
  containerd_.Start({"default", "missed"});
  containerd_.SetMute(false);
  containerd_.SendRaw("\xff\xff garbage");

  EXPECT_TRUE(AwaitKnown({"default/missed 100 running"}));
}

TEST_F(ContainerdWatchTest, IsToldAgainWhatItMissedWhileTheDaemonWasDown) {
  containerd_.Start({"default", "db"});
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.Refuse(true);
  containerd_.EndConnections();
  ASSERT_TRUE(Await([this] { return !IsReady(); }));
  containerd_.Die({"default", "db"}, 1);
  containerd_.Start({"default", "db"});
  containerd_.Start({"default", "new"});
  ASSERT_TRUE(Await([this] { return Changes().size() == 3; }));
  containerd_.Refuse(false);

  ASSERT_TRUE(
      AwaitKnown({"default/db 102 running", "default/new 103 running", "default/web 101 running"}));
  ASSERT_TRUE(Await([this] { return IsReady(); }));
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started web"), 1);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started db"), 2);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "exited db"), 1);
}

TEST_F(ContainerdWatchTest, ComesBackAfterTheStreamEnds) {
  containerd_.Start(kWeb);
  WatchAndSync();
  containerd_.EndStreams();
  ASSERT_TRUE(Await([this] { return !IsReady(); }));
  ASSERT_TRUE(Await([this] { return IsReady(); }));
  containerd_.Start({"default", "new"});

  EXPECT_TRUE(AwaitKnown({"default/new 101 running", "default/web 100 running"}));
  EXPECT_THAT(Changes(), ElementsAre("started web", "started new"));
}

TEST_F(ContainerdWatchTest, ShowsHostileTextAsItIs) {
  containerd_.Start(kWeb);
  containerd_.SetLabel(kWeb, "a\xff", "\x1b[2J\\");
  containerd_.SetLabel(kWeb, "nerdctl/name", "web\xc3\x28");
  WatchAndSync();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 1);
  EXPECT_EQ(current.containers(0).name(), "web\\xc3(");
  EXPECT_EQ(*FindLabel(current.containers(0).labels(), "a\\xff"), "\x1b[2J\\\\");
}

TEST_F(ContainerdWatchTest, BelievesNoNumberThatIsNoProcess) {
  const std::vector<uint32_t> pids = {0, 0xffffffff, 0x80000000, 5};
  for (size_t i = 0; i < pids.size(); ++i) {
    const FakeContainerd::Id id = {"default", absl::StrCat("c", i)};
    containerd_.Start(id);
    containerd_.EditTask(id, [pid = pids[i]](auto* task) { task->set_pid(pid); });
  }
  WatchAndSync();

  EXPECT_THAT(Known(), ElementsAre("default/c0 0 running", "default/c1 0 running",
                                   "default/c2 0 running", "default/c3 0 running"));
}

TEST_F(ContainerdWatchTest, CountsIdsThatAreListedTwice) {
  containerd_.Start(kWeb);
  containerd_.Start({"default", "db"});
  containerd_.Edit({"default", "db"}, [](auto* container) { container->set_id("web"); });
  WatchAndSync();

  const Containers current = hub_.Current();
  EXPECT_EQ(current.containers_size(), 1);
  ASSERT_EQ(current.gaps_size(), 1);
  EXPECT_EQ(current.gaps(0).error(), "ALREADY_EXISTS");
}

TEST_F(ContainerdWatchTest, SaysWhyADaemonIsNotKnown) {
  struct Case {
    const char* method;
    FakeGrpcServer::Handler handler;
    const char* reason;
  };
  const auto hang = [](FakeGrpcCall& call) {
    call.AwaitEnd();
    return absl::OkStatus();
  };
  const auto deny = [](FakeGrpcCall&) { return absl::PermissionDeniedError("not you"); };
  const auto lack = [](FakeGrpcCall&) { return absl::UnimplementedError("unknown service"); };
  call_timeout_ = absl::Milliseconds(100);
  for (const Case& c : {
           Case{"Version/Version", hang, "DEADLINE_EXCEEDED: containerd.services.version"},
           Case{"Version/Version", deny, "PERMISSION_DENIED: containerd.services.version"},
           Case{"Events/Subscribe", lack, "UNIMPLEMENTED: containerd.services.events"},
           Case{"Namespaces/List", deny, "PERMISSION_DENIED: containerd.services.namespaces"},
       }) {
    containerd_.Answer(c.method, c.handler);
    Watch();
    ASSERT_TRUE(watcher_->AwaitFirstResult(absl::Now() + kLong));
    EXPECT_TRUE(Await([&] {
      const Containers current = hub_.Current();
      return current.engines(0).state() == Engine::degraded &&
             absl::StartsWith(current.engines(0).reason(), c.reason);
    })) << hub_.Current().DebugString();
    watcher_.reset();
    containerd_.Answer(c.method, nullptr);
  }
}

TEST_F(ContainerdWatchTest, IsDoneAtOnceThoughTheDaemonHangs) {
  containerd_.Start(kWeb);
  containerd_.Answer("Tasks/List", [](FakeGrpcCall& call) {
    call.AwaitEnd();
    return absl::OkStatus();
  });
  Watch();
  ASSERT_TRUE(Await([this] { return containerd_.Calls("Tasks/List") > 0; }));
  const absl::Time start = absl::Now();

  watcher_.reset();

  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
}

TEST_F(ContainerdWatchTest, SyncsAThousandContainersInASecond) {
  for (int i = 0; i < 1000; ++i) containerd_.Start({"default", absl::StrCat("c", i)});
  containerd_.SetLatency(absl::Milliseconds(1));
  const absl::Time start = absl::Now();

  WatchAndSync();
  const absl::Duration took = absl::Now() - start;

  EXPECT_EQ(Known().size(), 1000);
  // Lists have PIDs.
  EXPECT_EQ(containerd_.Calls("/Get"), 0);
  // A second on an idle machine; sanitizers and neighbours take their share.
  EXPECT_LT(took, absl::Seconds(10));
  RecordProperty("milliseconds", static_cast<int>(absl::ToInt64Milliseconds(took)));
}

TEST_F(ContainerdWatchTest, TellsOfAStartSoon) {
  WatchAndSync();
  std::vector<absl::Duration> delays;
  for (int i = 0; i < 21; ++i) {
    const absl::Time start = absl::Now();
    containerd_.Start({"default", absl::StrCat("c", i)});
    ASSERT_THAT(subscription_->Next(absl::Now() + kLong), IsOk());
    delays.push_back(absl::Now() - start);
    Changes();
  }
  std::nth_element(delays.begin(), delays.begin() + 10, delays.end());

  // 5 ms on an idle machine.
  EXPECT_LT(delays[10], absl::Milliseconds(200));
  RecordProperty("median_microseconds", static_cast<int>(absl::ToInt64Microseconds(delays[10])));
}

}  // namespace
}  // namespace nsctl::engines::containerd
