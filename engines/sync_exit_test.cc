// How the ends of containers are told: by whom, when, and once.

#include "absl/status/status.h"
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
using Kind = EngineEvent::Kind;

TEST(SyncStateExit, IsNotTheEndOfAnExec) {
  SyncScene scene;
  scene.SyncWith("web");
  EngineEvent exec = {.kind = Kind::kExecExited, .container = {"", "web"}, .time = scene.now()};
  scene.Deliver(exec);
  EXPECT_EQ(scene.inspections(), 0);

  // Not even where an engine does not tell it apart.
  exec.kind = Kind::kExited;
  exec.exit_code = 0;
  exec.time = scene.now() + absl::Seconds(1);
  scene.Deliver(exec);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 running"));
}

TEST(SyncStateExit, IsToldAtOnceWithItsCode) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Deliver(scene.Die("web", 137));

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 137"));
  scene.DeliverExits();
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncStateExit, OfAnEarlierProcessIsNoNews) {
  SyncScene scene;
  scene.SyncWith("web");
  EngineEvent late = scene.Die("web", 9);
  late.engine_pid = 100;
  scene.Deliver(late);
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 9", "started web 101"));

  // Once more, as after a restart of the engine; and with a time that is not to be trusted.
  scene.Deliver(late);
  late.time = scene.now() + absl::Hours(1);
  scene.Deliver(late);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateExit, IsTheKernelsWordWhereTheEngineIsSilent) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Die("web", 5);
  scene.DeliverExits();
  scene.AnswerAll();

  // The engine was asked how.
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 5"));
}

TEST(SyncStateExit, IsToldWithoutTheEngineWhereThatDoesNotAnswer) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Die("web", 5);
  scene.DeliverExits();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Wait(absl::Seconds(1));

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100"));
}

TEST(SyncStateExit, HasItsCodeThoughTheEngineNoticesLate) {
  SyncScene scene;
  scene.SyncWith("web");
  Sighting not_noticed;
  not_noticed.row.container.set_id("web");
  not_noticed.row.container.set_name("web");
  not_noticed.row.container.set_state(Container::running);
  not_noticed.row.container.set_engine_pid(100);
  not_noticed.process_error = "ESRCH";
  scene.Die("web", 5);
  scene.DeliverExits();
  for (int i = 0; i < 2; ++i) {
    scene.state().Inspected(scene.state().attempt(), {"", "web"}, not_noticed, scene.now());
  }
  scene.Wait(absl::Milliseconds(300));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 5"));
}

TEST(SyncStateExit, IsToldByTheEventWhereTheEngineHasForgottenIt) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent event = scene.Die("web", 7);
  scene.DeliverExits();
  scene.FailInspection("web", absl::NotFoundError("gone"));
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Deliver(event);

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 7"));
}

TEST(SyncStateExit, IsToldWithoutAConnection) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Disconnect();
  scene.Die("web", 5);
  scene.DeliverExits();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100"));
  scene.Connect();
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncStateExit, StaysToldWhereTheEngineHasNotNoticed) {
  SyncScene scene;
  scene.SyncWith("web");
  // Its shim was killed: the engine says "running" for ever.
  Sighting zombie;
  zombie.row.container.set_id("web");
  zombie.row.container.set_name("web");
  zombie.row.container.set_state(Container::running);
  zombie.row.container.set_engine_pid(100);
  zombie.process_error = "ESRCH";
  scene.Die("web");
  scene.DeliverExits();
  scene.Wait(absl::Seconds(1));
  ASSERT_THAT(scene.TakeChanges(), ElementsAre("exited web 100"));

  for (int i = 0; i < 3; ++i) {
    const SyncActions actions =
        scene.state().Inspected(scene.state().attempt(), {"", "web"}, zombie, scene.now());
    EXPECT_THAT(actions.changes, IsEmpty());
  }
  EXPECT_THAT(scene.Told(), IsEmpty());
}

TEST(SyncStateExit, IsToldAtOnceWhereNobodyCanSayHow) {
  SyncScene scene({.replays = true, .exit_grace = absl::ZeroDuration()});
  scene.SyncWith("web");
  scene.Die("web", 5);
  scene.DeliverExits();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100"));
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_THAT(scene.Told(), IsEmpty());
}

TEST(SyncStateExit, OfWhatHadEndedWhenItWasSeenIsNoNewsWhereProcessesAreAllThereIs) {
  SyncScene scene({.replays = true, .exit_grace = absl::ZeroDuration(), .only_with_process = true});
  scene.SyncWith("web");
  Sighting ended;
  ended.row.container.set_id("job");
  ended.row.container.set_name("job");
  ended.row.container.set_state(Container::running);
  ended.row.container.set_engine_pid(99);
  ended.process_error = "ESRCH";
  scene.Deliver({.kind = Kind::kUpdated, .container = {"", "job"}});
  for (int i = 0; i < 3; ++i) {
    scene.state().Inspected(scene.state().attempt(), {"", "job"}, ended, scene.now());
  }
  scene.Wait(absl::Minutes(6));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 running"));
}

TEST(SyncStateExit, OfAShortLifeIsToldThoughNobodySawTheProcess) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent start = scene.Start("job");
  const EngineEvent end = scene.Die("job", 3);

  // The engine has it still when it is asked.
  scene.Deliver(start);
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started job 0", "exited job 0 3"));
  scene.Deliver(end);
  scene.Deliver(start);
  scene.Deliver(end);
  scene.AnswerAll();
  scene.Wait(absl::Seconds(2));

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 running"));
}

TEST(SyncStateExit, OfAShortLifeThatTheEngineForgotIsToldByItsEvents) {
  SyncScene scene;
  scene.SyncWith("web");
  const EngineEvent start = scene.Start("job");
  EngineEvent end = scene.Die("job", 3);
  const EngineEvent removed = scene.Remove("job");

  // The answer comes before the events, after them, or never.
  scene.Deliver(start);
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.Deliver(end);
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started job 0", "exited job 0 3"));
  scene.Deliver(removed);
  scene.AnswerAll();

  scene.Deliver(scene.Start("next"));
  end = scene.Die("next", 4);
  scene.Remove("next");
  scene.Deliver(end);
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started next 0", "exited next 0 4"));

  scene.Deliver(scene.Start("last"));
  scene.Die("last", 5);
  scene.Remove("last");
  scene.AnswerAll();
  scene.Wait(absl::Seconds(2));
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started last 0", "exited last 0"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateExit, OfEachOfManyShortLivesIsTold) {
  SyncScene scene;
  scene.SyncWith("web");
  for (int i = 1; i <= 3; ++i) {
    scene.Deliver(scene.Start("job"));
    scene.Deliver(scene.Die("job", i));
  }
  scene.Deliver(scene.Start("job"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(),
              ElementsAre("started job 0", "exited job 0 1", "started job 0", "exited job 0 2",
                          "started job 0", "exited job 0 3", "started job 104"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateExit, OfAShortLifeBeforeTheFirstConnectionIsNoNews) {
  SyncScene scene;
  const EngineEvent start = scene.Start("job");
  const EngineEvent end = scene.Die("job", 3);
  scene.SyncWith("web");
  scene.Deliver(start);
  scene.Deliver(end);
  scene.AnswerAll();
  scene.Wait(absl::Seconds(2));

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncStateExit, OfWhatIsNotKnownIsNoNews) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Start("gone");
  scene.Deliver(scene.Die("gone"));
  scene.Deliver(scene.Remove("gone"));

  EXPECT_EQ(scene.inspections(), 0);
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

}  // namespace
}  // namespace nsctl::engines
