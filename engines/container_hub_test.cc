#include "engines/container_hub.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::Time kNow = absl::UnixEpoch();

Change Parse(const std::string& text) {
  Change change;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &change)) << text;
  return change;
}

Change Started(const std::string& id) {
  return Parse(absl::StrCat("kind: started container { id: '", id, "' name: '", id,
                            "' state: running pid: 7 start_time: ", id.size(), " }"));
}

Change Exited(const std::string& id) {
  return Parse(absl::StrCat("kind: exited container { id: '", id, "' name: '", id,
                            "' state: exited pid: 7 }"));
}

Engine EngineOf(const std::string& key, Engine::Type type = Engine::docker) {
  Engine engine;
  engine.set_key(key);
  engine.set_type(type);
  return engine;
}

std::vector<std::string> Names(const Containers& containers) {
  std::vector<std::string> names;
  names.reserve(containers.containers_size());
  for (const Container& container : containers.containers()) {
    names.push_back(absl::StrCat(container.engine(), "/", container.name()));
  }
  return names;
}

// "1 started web"
std::vector<std::string> Describe(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) {
    texts.push_back(
        absl::StrCat(change.revision(), " ", Change::Kind_Name(change.kind()), " ",
                     change.has_engine() ? change.engine().key() : change.container().name()));
  }
  return texts;
}

TEST(ContainerHub, KnowsWhatWasPublished) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("d"), kNow);
  hub.Publish("d", {Started("web"), Started("gone")});
  hub.Publish("d", {Exited("gone")});

  const Containers current = hub.Current();

  EXPECT_THAT(Names(current), ElementsAre("d/web"));
  EXPECT_EQ(current.revision(), 4);
}

TEST(ContainerHub, KeepsOneBetweenTwoProcesses) {
  ContainerHub hub;
  hub.Publish("d", {Started("web"), Parse("kind: exited container { id: 'web' name: 'web' "
                                          "state: restarting pid: 7 start_time: 3 }")});

  const Containers current = hub.Current();
  ASSERT_THAT(Names(current), ElementsAre("d/web"));
  EXPECT_EQ(current.containers(0).pid(), 0);
  EXPECT_EQ(current.containers(0).start_time(), 0);

  hub.Publish("d", {Parse("kind: updated container { id: 'web' name: 'web' state: exited }")});
  EXPECT_THAT(Names(hub.Current()), IsEmpty());
}

TEST(ContainerHub, ShowsViewsOfOneProcessAsOne) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("c", Engine::containerd), kNow);
  hub.SetEngine(EngineOf("d"), kNow);
  hub.Publish("c", {Started("one")});
  hub.Publish("d", {Started("two")});

  const Containers current = hub.Current();

  ASSERT_THAT(Names(current), ElementsAre("d/two"));
  EXPECT_EQ(current.containers(0).views_size(), 2);
}

TEST(ContainerHub, ListsPodsOfWhatIsThere) {
  ContainerHub hub;
  Change change = Started("web");
  change.mutable_pod()->set_id("p");
  Change other = Started("other");
  other.mutable_pod()->set_id("p");
  hub.Publish("d", {change, other});

  ASSERT_EQ(hub.Current().pods_size(), 1);
  EXPECT_EQ(hub.Current().pods(0).engine(), "d");
  hub.Publish("d", {Exited("web"), Exited("other")});
  EXPECT_EQ(hub.Current().pods_size(), 0);
}

TEST(ContainerHub, TellsOfAnEngineWhatIsNews) {
  ContainerHub hub;
  auto subscription = hub.Subscribe();
  hub.SetEngine(EngineOf("d"), kNow);
  hub.SetEngine(EngineOf("d"), kNow);
  hub.SetEngine(EngineOf("d", Engine::podman), kNow);
  hub.Publish("d", {Started("web")});
  hub.RemoveEngine("d", kNow);
  hub.RemoveEngine("d", kNow);

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  EXPECT_THAT(Describe(batch.changes), ElementsAre("1 engine_changed d", "2 engine_changed d",
                                                   "3 started web", "4 engine_gone d"));
  EXPECT_THAT(Names(hub.Current()), IsEmpty());
}

TEST(ContainerHubSubscription, StartsWithWhatIsKnownAndGoesOnFromThere) {
  ContainerHub hub;
  hub.Publish("d", {Started("early")});
  auto subscription = hub.Subscribe();
  EXPECT_THAT(Names(subscription->start()), ElementsAre("d/early"));
  EXPECT_EQ(subscription->start().revision(), 1);
  EXPECT_THAT(subscription->Next(absl::Now()), StatusIs(absl::StatusCode::kDeadlineExceeded));

  hub.Publish("d", {Started("late"), Exited("early")});
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));

  EXPECT_FALSE(batch.current.has_value());
  EXPECT_THAT(Describe(batch.changes), ElementsAre("2 started late", "3 exited early"));
}

TEST(ContainerHubSubscription, HearsOfDockersContainersOnce) {
  ContainerHub hub;
  Engine docker = EngineOf("d");
  hub.SetEngine(docker, kNow);
  hub.SetEngine(EngineOf("c", Engine::containerd), kNow);
  const auto moby = [](Change change) {
    change.mutable_container()->set_native_namespace("moby");
    return change;
  };
  const auto subscription = hub.Subscribe();

  // While Docker does not answer containerd's word counts.
  hub.Publish("c", {moby(Started("a"))});
  docker.set_state(Engine::ready);
  hub.SetEngine(docker, kNow);
  hub.Publish("c", {moby(Started("bb")), Started("other"), moby(Exited("a"))});
  hub.Publish("d", {Started("bb")});

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  EXPECT_THAT(Describe(batch.changes),
              ElementsAre("3 started a", "4 engine_changed d", "5 started other", "6 started bb"));
  EXPECT_THAT(Names(hub.Current()), ElementsAre("c/other", "d/bb"));
}

TEST(ContainerHubSubscription, HearsOfTheStartOfAProcessOnce) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("old"), kNow);
  const auto subscription = hub.Subscribe();

  hub.Publish("old", {Started("web"), Started("db0000")});
  hub.RemoveEngine("old", kNow);
  hub.SetEngine(EngineOf("new"), kNow);
  Change exited = Exited("web");
  exited.mutable_container()->set_start_time(3);
  hub.Publish("new", {Started("web"), exited, Started("web")});

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  EXPECT_THAT(
      Describe(batch.changes),
      ElementsAre("2 started web", "3 started db0000", "4 engine_gone old", "5 engine_changed new",
                  "6 updated web", "7 exited web", "8 started web"));
}

TEST(ContainerHubSubscription, HearsOfIncusContainersOnce) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("evidence", Engine::evidence), kNow);
  hub.SetEngine(EngineOf("incus", Engine::incus), kNow);
  hub.SetEngine(EngineOf("lxc", Engine::lxc), kNow);
  const auto subscription = hub.Subscribe();
  Change exited = Exited("web");
  exited.mutable_container()->set_start_time(3);

  // Whoever is first is heard.
  hub.Publish("lxc", {Started("web")});
  hub.Publish("incus", {Started("web")});
  hub.Publish("evidence", {Started("web")});
  // The end is heard of the nearest to the user, whenever the others tell it.
  hub.Publish("lxc", {exited});
  hub.Publish("incus", {exited});
  hub.Publish("evidence", {exited});
  // Without another engine that knows it LXC is heard.
  hub.Publish("lxc", {Started("web"), exited});

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  std::vector<std::string> heard;
  for (const Change& change : batch.changes) {
    heard.push_back(
        absl::StrCat(Change::Kind_Name(change.kind()), " of ", change.container().engine()));
  }
  EXPECT_THAT(heard, ElementsAre("started of lxc", "updated of incus", "exited of incus",
                                 "started of lxc", "exited of lxc"));
}

TEST(ContainerHubSubscription, HearsOfTheEndOfAProcessOnceAndHowItEnded) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("d"), kNow);
  hub.SetEngine(EngineOf("c", Engine::containerd), kNow);
  const auto ended = [](Change change, const std::string& more) {
    change.MergeFrom(Parse(absl::StrCat("container { start_time: 3 ", more, " }")));
    return change;
  };
  const auto of_containerd = [](Change change) {
    change.mutable_container()->set_id("0123");
    change.mutable_container()->set_name("0123");
    return change;
  };
  hub.Publish("d", {Started("web")});
  hub.Publish("c", {of_containerd(Started("web"))});
  const auto subscription = hub.Subscribe();

  // Who has no status leaves the word to the other.
  EXPECT_TRUE(hub.IsTold({7, 3}));
  hub.RemoveEngine("d", kNow);
  EXPECT_TRUE(hub.IsTold({7, 3}));
  hub.Publish("d", {ended(Exited("web"), "")});
  hub.Publish("c", {ended(of_containerd(Exited("web")), "exit_code: 9")});
  EXPECT_FALSE(hub.IsTold({7, 3}));
  hub.Publish("evidence", {ended(Exited("evi"), "")});

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  EXPECT_THAT(Describe(batch.changes), ElementsAre("5 engine_gone d", "6 exited web"));
  EXPECT_EQ(batch.changes[1].container().engine(), "d");
  EXPECT_EQ(batch.changes[1].container().exit_code(), 9);
}

TEST(ContainerHubSubscription, HearsOfTheEndOfWhatTheNextDockerKillsUnlisted) {
  ContainerHub hub;
  Engine docker = EngineOf("old d");
  docker.set_state(Engine::ready);
  hub.SetEngine(docker, kNow);
  hub.SetEngine(EngineOf("old c", Engine::containerd), kNow);
  hub.SetEngine(EngineOf("evidence", Engine::evidence), kNow);
  const auto of_containerd = [](Change change) {
    change.mutable_container()->set_native_namespace("moby");
    return change;
  };
  Change exited = Exited("web");
  exited.mutable_container()->set_start_time(3);
  hub.Publish("old d", {Started("web")});
  hub.Publish("old c", {of_containerd(Started("web"))});
  const auto subscription = hub.Subscribe();

  // Daemons are killed, and the container runs on.
  hub.RemoveEngine("old d", kNow);
  hub.RemoveEngine("old c", kNow);
  hub.Publish("evidence", {Started("web")});
  hub.SetEngine(EngineOf("new c", Engine::containerd), kNow);
  hub.Publish("new c", {of_containerd(Started("web"))});
  docker.set_key("new d");
  hub.SetEngine(docker, kNow);
  // Its end, in the order in which all who know it learn of it.
  hub.Publish("old d", {exited});
  hub.Publish("evidence", {exited});
  hub.Publish("new c", {of_containerd(exited)});
  hub.Publish("old c", {of_containerd(exited)});
  Change again = Started("web");
  again.mutable_container()->set_start_time(30);
  hub.Publish("new c", {of_containerd(again)});
  hub.Publish("new d", {again});

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  std::vector<std::string> heard;
  for (const Change& change : batch.changes) {
    if (!change.has_container()) continue;
    heard.push_back(
        absl::StrCat(Change::Kind_Name(change.kind()), " of ", change.container().engine()));
  }
  EXPECT_THAT(heard, ElementsAre("updated of evidence", "updated of new c", "exited of old d",
                                 "started of new d"));
}

TEST(ContainerHub, KeepsParentsOfEngines) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("d"), kNow);
  Containers containers = hub.Current();
  containers.mutable_engines(0)->set_parent("p");
  containers.mutable_engines(0)->set_parent_container("web");
  const auto subscription = hub.Subscribe();

  hub.SetParents(containers.engines(), kNow);
  hub.SetParents(containers.engines(), kNow);
  Engine ready = EngineOf("d");
  ready.set_state(Engine::ready);
  hub.SetEngine(ready, kNow);

  EXPECT_EQ(hub.Current().engines(0).parent(), "p");
  EXPECT_EQ(hub.Current().engines(0).parent_container(), "web");
  EXPECT_EQ(hub.Current().engines(0).state(), Engine::ready);
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  EXPECT_EQ(batch.changes.size(), 2);
}

TEST(ContainerHubSubscription, IsToldToBeginAnewWhereItIsTooSlow) {
  ContainerHub hub;
  auto slow = hub.Subscribe(2);
  auto quick = hub.Subscribe(10);
  hub.Publish("d", {Started("a"), Started("bb"), Started("ccc"), Exited("a")});

  NSCTL_ASSERT_OK_AND_ASSIGN(auto batch, slow->Next(absl::Now()));
  ASSERT_TRUE(batch.current.has_value());
  EXPECT_THAT(batch.changes, IsEmpty());
  EXPECT_THAT(Names(*batch.current), ElementsAre("d/bb", "d/ccc"));
  EXPECT_EQ(batch.current->revision(), 4);

  hub.Publish("d", {Exited("bb")});
  NSCTL_ASSERT_OK_AND_ASSIGN(batch, slow->Next(absl::Now()));
  EXPECT_FALSE(batch.current.has_value());
  EXPECT_THAT(Describe(batch.changes), ElementsAre("5 exited bb"));
  NSCTL_ASSERT_OK_AND_ASSIGN(batch, quick->Next(absl::Now()));
  EXPECT_EQ(batch.changes.size(), 5);
}

TEST(ContainerHubSubscription, LosesWhatAGuestFloodsAndNothingOfTheHost) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("host"), kNow);
  Engine guest = EngineOf("guest", Engine::podman);
  guest.set_foreign(true);
  hub.SetEngine(guest, kNow);
  Engine inner = EngineOf("inner");
  inner.set_parent_container("web");
  hub.SetEngine(inner, kNow);
  const auto subscription = hub.Subscribe(800);
  const auto flood = [&hub](const std::string& key) {
    for (int i = 0; i < 2000; ++i) hub.Publish(key, {Started("x"), Exited("x")});
    hub.Publish(key, {Started("real")});
  };

  hub.Publish("host", {Started("a")});
  flood("guest");
  flood("inner");
  hub.Publish("host", {Exited("a")});
  hub.RemoveEngine("guest", kNow);
  flood("guest");

  NSCTL_ASSERT_OK_AND_ASSIGN(auto batch, subscription->Next(absl::Now()));
  EXPECT_FALSE(batch.current.has_value());
  EXPECT_THAT(batch.lost_engines, ElementsAre("guest", "inner"));
  ASSERT_EQ(batch.changes.size(), 2);
  EXPECT_EQ(batch.changes[0].kind(), Change::started);
  EXPECT_EQ(batch.changes[1].kind(), Change::exited);
  ASSERT_EQ(batch.current_of_lost.engines_size(), 1);
  EXPECT_THAT(Names(batch.current_of_lost), ElementsAre("guest/real", "inner/real"));
  hub.Publish("inner", {Exited("real")});
  NSCTL_ASSERT_OK_AND_ASSIGN(batch, subscription->Next(absl::Now()));
  EXPECT_THAT(batch.lost_engines, IsEmpty());
  EXPECT_EQ(batch.changes.size(), 1);
}

TEST(ContainerHubSubscription, HearsOfEvidenceInAContainerOfAnEngineOfItsOwn) {
  ContainerHub hub;
  hub.SetEngine(EngineOf("evidence", Engine::evidence), kNow);
  const auto change_of = [](Change change, uint64_t start_time) {
    change.mutable_container()->set_start_time(start_time);
    return change;
  };
  hub.Publish("evidence", {change_of(Started("late"), 1)});
  Engine inner = EngineOf("evidence:5@6", Engine::evidence);
  inner.set_parent("d");
  inner.set_parent_container("web");
  const auto subscription = hub.Subscribe();

  hub.AddPlaces({{{7, 1}, inner}, {{7, 2}, inner}}, kNow);
  hub.Publish("evidence", {change_of(Started("in"), 2), change_of(Started("out"), 3)});
  EXPECT_THAT(Names(hub.Subscribe()->start()),
              ElementsAre("evidence/out", "evidence:5@6/in", "evidence:5@6/late"));
  EXPECT_THAT(Names(hub.Current()), ElementsAre("evidence/in", "evidence/late", "evidence/out"));
  hub.Publish("evidence", {change_of(Exited("in"), 2), change_of(Exited("late"), 1),
                           change_of(Exited("out"), 3)});
  hub.AddPlaces({}, kNow);

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  std::vector<std::string> heard;
  for (const Change& change : batch.changes) {
    heard.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name(),
                                 " of ", change.container().engine(), change.engine().key()));
  }
  EXPECT_THAT(heard, ElementsAre("engine_changed  of evidence:5@6", "updated late of evidence:5@6",
                                 "started in of evidence:5@6", "started out of evidence",
                                 "exited in of evidence:5@6", "exited late of evidence:5@6",
                                 "exited out of evidence", "engine_gone  of evidence:5@6"));
}

TEST(ContainerHub, TellsOfAnEngineThatIsBrokenOnce) {
  ContainerHub hub;
  const auto subscription = hub.Subscribe();
  const auto set = [&hub](Engine::State state, const std::string& reason = "") {
    Engine engine = EngineOf("d");
    engine.set_state(state);
    engine.set_reason(reason);
    hub.SetEngine(engine, kNow);
  };
  set(Engine::connecting);
  for (int i = 0; i < 3; ++i) {
    set(Engine::syncing);
    set(Engine::degraded, "cut short");
  }
  set(Engine::syncing);
  EXPECT_EQ(hub.Current().engines(0).state(), Engine::syncing);
  set(Engine::degraded, "no answer");
  set(Engine::syncing);
  set(Engine::ready);

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch, subscription->Next(absl::Now()));
  std::vector<std::string> told;
  for (const Change& change : batch.changes) {
    told.push_back(absl::StrCat(StateName(change.engine().state()), change.engine().reason()));
  }
  EXPECT_THAT(told, ElementsAre("connecting", "syncing", "degradedcut short", "degradedno answer",
                                "ready"));
}

TEST(ContainerHubSubscription, HearsOfAllFromManyPublishers) {
  ContainerHub hub;
  auto subscription = hub.Subscribe(100'000);
  std::vector<std::thread> publishers;
  publishers.reserve(4);
  for (int publisher = 0; publisher < 4; ++publisher) {
    publishers.emplace_back([&hub, publisher] {
      for (int i = 0; i < 500; ++i) {
        hub.Publish(absl::StrCat("e", publisher), {Started(absl::StrCat(i))});
      }
    });
  }
  size_t seen = 0;
  while (seen < 2000) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const auto batch,
                               subscription->Next(absl::Now() + absl::Seconds(30)));
    for (const Change& change : batch.changes) ASSERT_EQ(change.revision(), ++seen);
  }
  for (std::thread& publisher : publishers) publisher.join();
}

TEST(ContainerHubSubscription, EndsWithTheHub) {
  ContainerHub hub;
  auto subscription = hub.Subscribe();
  hub.Publish("d", {Started("web")});
  std::thread closer([&hub] { hub.Close(); });

  EXPECT_THAT(subscription->Next(absl::InfiniteFuture()), IsOk());
  EXPECT_THAT(subscription->Next(absl::InfiniteFuture()),
              StatusIs(absl::StatusCode::kCancelled, "closed"));
  closer.join();
}

}  // namespace
}  // namespace nsctl::engines
