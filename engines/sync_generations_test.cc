// Containers that are restarted faster than their engine's events arrive: each process is told,
// once, in order and with how it ended.

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/sync_scene.h"
#include "engines/sync_state.h"
#include "engines/told_container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SyncStateGenerations, WaitForTheEndThatTheStreamOwes) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent died = scene.Die("web", 9);
  const EngineEvent start = scene.Start("web");
  scene.DeliverExits();
  // Shows the next process already.
  scene.AnswerInspection("web");
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());

  scene.Deliver(died);
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 9"));
  scene.Deliver(start);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateGenerations, WaitNoLongerThanTheGrace) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent died = scene.Die("web", 9);
  const EngineEvent start = scene.Start("web");
  scene.DeliverExits();
  scene.AnswerAll();
  scene.Wait(absl::Seconds(1));
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100", "started web 101"));

  // What comes too late is not put on the next one, not even where that has ended.
  scene.Deliver(died);
  scene.Deliver(start);
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  const EngineEvent died_too = scene.Die("web", 7);
  scene.Deliver(died);
  scene.Deliver(start);
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Deliver(died_too);
  scene.AnswerAll();
  scene.Wait(absl::Seconds(2));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 101 7"));
  EXPECT_THAT(scene.Told(), IsEmpty());
}

TEST(SyncStateGenerations, AreToldThoughNobodySawTheirProcess) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent events[] = {scene.Die("web", 1), scene.Start("web"),  scene.Die("web", 2),
                                scene.Start("web"),  scene.Die("web", 3), scene.Start("web")};
  scene.DeliverExits();
  for (const EngineEvent& event : events) {
    if (scene.inspection_asked("web")) scene.AnswerInspection("web");
    scene.Deliver(event);
  }
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(),
              ElementsAre("exited web 100 1", "started web 0", "exited web 0 2", "started web 0",
                          "exited web 0 3", "started web 103"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateGenerations, TheFirstOfAContainerIsToldToo) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Deliver(scene.Start("job"));
  const EngineEvent died = scene.Die("job", 1);
  const EngineEvent start = scene.Start("job");
  scene.AnswerInspection("job");
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Deliver(died);
  scene.Deliver(start);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(),
              ElementsAre("started job 0", "exited job 0 1", "started job 102"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateGenerations, MayBeToldByTheirStartsAlone) {
  SyncScene scene;
  scene.SyncWith("web");
  for (int i = 0; i < 3; ++i) {
    const EngineEvent start = scene.Start("job");
    scene.Deliver(start);
    // Once more, and late.
    scene.Deliver(start);
    if (i < 2) scene.Die("job");
  }
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started job 0", "exited job 0", "started job 0",
                                               "exited job 0", "started job 103"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateGenerations, ListsAreAheadAsWell) {
  SyncScene scene(SyncOptions{.replays = false});
  scene.SyncWith("web");
  const EngineEvent died = scene.Die("web", 4);
  const EngineEvent start = scene.Start("web");
  scene.Deliver({.kind = SyncScene::Kind::kLost});
  scene.Wait(absl::Seconds(1));
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Deliver(died);
  scene.Deliver(start);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 4", "started web 101"));
}

TEST(SyncStateGenerations, EndIsToldThoughAnAnswerWasDatedAfterIt) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent died = scene.Die("web", 6);
  // An inspection that was asked for later does not show it yet.
  Sighting before;
  before.row.container.set_id("web");
  before.row.container.set_name("renamed");
  before.row.container.set_state(Container::running);
  before.row.container.set_engine_pid(100);
  EngineEvent renamed = {.kind = SyncScene::Kind::kUpdated, .container = {"", "web"}};
  renamed.time = scene.now() + absl::Seconds(1);
  scene.Wait(absl::Seconds(1));
  scene.Deliver(renamed);
  scene.state().Inspected(scene.state().attempt(), {"", "web"}, before, scene.now());
  scene.TakeChanges();

  scene.Deliver(died);

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited renamed 100 6"));
}

}  // namespace
}  // namespace nsctl::engines
