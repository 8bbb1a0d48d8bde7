#include "engines/sync_state.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/engine_client.h"
#include "engines/sync_scene.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;
using Kind = EngineEvent::Kind;

TEST(SyncState, TellsWhatIsThereOnce) {
  SyncScene scene;
  scene.Start("db");
  scene.Start("web");
  scene.Pause("db");

  scene.Connect();
  EXPECT_FALSE(scene.state().in_sync());
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started db 100 paused", "started web 101"));
  EXPECT_TRUE(scene.state().in_sync());
  EXPECT_EQ(scene.lists(), 1);
  // The list had the PIDs.
  EXPECT_EQ(scene.inspections(), 0);
}

TEST(SyncState, ListsTwiceWhereNothingIsReplayed) {
  SyncScene scene(SyncOptions{.replays = false});
  scene.Connect();
  scene.AnswerList();
  EXPECT_FALSE(scene.state().in_sync());
  // Its event was lost, as the subscription was not active yet.
  scene.Start("web");
  scene.AnswerAll();

  EXPECT_EQ(scene.lists(), 2);
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100"));
  EXPECT_TRUE(scene.state().in_sync());
}

TEST(SyncState, InspectsWhatAListLeavesOpen) {
  SyncScene scene;
  scene.SetPartialLists(true);
  scene.Start("web");
  scene.Connect();
  scene.AnswerList();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100"));

  // What is known and shown as before is not inspected again.
  scene.Wait(absl::Minutes(5));
  scene.AnswerAll();

  EXPECT_EQ(scene.lists(), 2);
  EXPECT_EQ(scene.inspections(), 1);
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

// Races during the list, in the order of the table of engines' races.

TEST(SyncStateRace, StartsAfterTheListWasRead) {
  SyncScene scene;
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100"));
}

TEST(SyncStateRace, StartsBeforeTheListIsReadAndTheEventComesDuringIt) {
  SyncScene scene;
  scene.Connect();
  const EngineEvent start = scene.Start("web");
  scene.ReadList();
  scene.Deliver(start);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100"));
}

TEST(SyncStateRace, DiesAfterItWasListed) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Die("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
  EXPECT_THAT(scene.Told(), IsEmpty());
}

TEST(SyncStateRace, DiesAfterItWasListedAndNoEventCame) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  scene.Die("web");
  scene.AnswerAll();

  EXPECT_THAT(scene.Told(), IsEmpty());
}

TEST(SyncStateRace, DiesAndIsRebornWithTheSameId) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Die("web"));
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101"));
}

TEST(SyncStateRace, PausesDuringTheList) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  const EngineEvent pause = scene.Pause("web");
  scene.Deliver(pause);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100 paused"));
  // Told again, it is no news.
  scene.Deliver(pause);
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncStateRace, PausesDiesAndIsReborn) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Pause("web"));
  scene.Deliver(scene.Die("web"));
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101"));
}

TEST(SyncStateRace, PausesDiesIsRebornAndPauses) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Pause("web"));
  scene.Deliver(scene.Die("web"));
  scene.Deliver(scene.Start("web"));
  scene.Deliver(scene.Pause("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101 paused"));
}

TEST(SyncStateRace, PausesWhenOnlyItsStartWasHeardOf) {
  SyncScene scene;
  scene.Connect();
  scene.ReadList();
  scene.Deliver(scene.Start("web"));
  scene.ReadInspection("web");
  scene.Deliver(scene.Pause("web"));
  scene.AnswerAll();

  EXPECT_EQ(scene.Told(), scene.Truth());
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 paused"));
}

TEST(SyncStateRace, ListFailsAndNothingOfItStays) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  scene.Deliver(scene.Die("web"));
  scene.FailList(absl::UnavailableError("no"));
  EXPECT_THAT(scene.give_up(), StatusIs(absl::StatusCode::kUnavailable, "no"));
  EXPECT_FALSE(scene.state().in_sync());
  scene.Disconnect();
  scene.Start("web");

  scene.Connect();
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101"));
}

TEST(SyncStateRace, StreamEndsWhileTheListIsMade) {
  SyncScene scene;
  scene.Start("web");
  scene.Connect();
  const uint64_t old_attempt = scene.state().attempt();
  scene.Disconnect();
  scene.Die("web");
  scene.Connect();

  // The list of the old attempt arrives now.
  Sighting stale;
  stale.row.container.set_id("web");
  stale.row.container.set_state(Container::running);
  const SyncActions actions =
      scene.state().Listed(old_attempt, std::vector<Sighting>{stale}, scene.now());
  EXPECT_THAT(actions.changes, IsEmpty());
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncStateRace, DiesBetweenAcceptanceAndSubscription) {
  SyncScene scene(SyncOptions{.replays = false});
  scene.Start("web");
  scene.Connect();
  scene.AnswerList();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 100"));
  // Nobody tells, not even the kernel.
  scene.Die("web", 3);
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 3"));
}

TEST(SyncStateRace, MissesAnEndAndHearsTheNextStart) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Die("web");
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100", "started web 101"));
}

TEST(SyncStateRace, ReconnectsAndTellsDifferencesAlone) {
  SyncScene scene;
  scene.Start("db");
  scene.Start("same");
  scene.Start("web");
  scene.Connect();
  scene.AnswerAll();
  scene.TakeChanges();

  scene.Disconnect();
  scene.Die("db", 1);
  scene.Die("web");
  scene.Start("web");
  scene.Start("new");
  EXPECT_THAT(scene.Told().size(), 3);
  scene.Connect();
  scene.AnswerAll();
  // Nothing of it is replayed.
  scene.Wait(absl::Seconds(1));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started new 104", "exited db 100 1",
                                               "exited web 102", "started web 103"));
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncStateRace, IsRenamedWhileItRuns) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Deliver(scene.Rename("web", "shop"));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("updated shop"));
}

// What engines get wrong.

TEST(SyncState, TakesReplayedAndRepeatedEventsOnce) {
  SyncScene scene;
  const EngineEvent start = scene.Start("web");
  const EngineEvent pause = scene.Pause("web");
  const EngineEvent unpause = scene.Unpause("web");
  scene.Connect();
  scene.AnswerAll();
  scene.TakeChanges();

  for (int i = 0; i < 3; ++i) {
    for (const EngineEvent& event : {start, pause, unpause}) scene.Deliver(event);
  }
  scene.AnswerAll();

  EXPECT_EQ(scene.inspections(), 0);
  EXPECT_THAT(scene.TakeChanges(), IsEmpty());
}

TEST(SyncState, PutsRightAtTheNextAuditWhatItMissed) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Pause("web");
  scene.Start("db");
  EXPECT_LE(scene.state().next_tick(), scene.now() + absl::Minutes(5));
  scene.Wait(absl::Minutes(5));
  scene.AnswerAll();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started db 101", "paused web"));
}

TEST(SyncState, ListsAgainWhereTheStreamIsDamagedButNotAllTheTime) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Start("db");
  for (int i = 0; i < 1000; ++i) {
    scene.Deliver({.kind = Kind::kLost});
    scene.AnswerAll();
    scene.Wait(absl::Milliseconds(1));
  }

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started db 101"));
  EXPECT_LE(scene.lists(), 10);
}

TEST(SyncState, GivesUpAfterFailedAuditsAndKeepsWhatItTold) {
  SyncScene scene;
  scene.SyncWith("web");
  scene.Wait(absl::Minutes(5));
  scene.FailList(absl::DeadlineExceededError("late"));
  EXPECT_THAT(scene.give_up(), IsOk());
  scene.Wait(absl::Seconds(2));
  scene.FailList(absl::DeadlineExceededError("late"));

  EXPECT_THAT(scene.give_up(), StatusIs(absl::StatusCode::kDeadlineExceeded, "late"));
  scene.Disconnect();
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 running"));
}

TEST(SyncState, ShowsWhatItCannotInspect) {
  SyncScene scene;
  scene.SetPartialLists(true);
  scene.Start("web");
  scene.Connect();
  scene.AnswerList();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(scene.inspection_asked("web"));
    scene.FailInspection("web", absl::DeadlineExceededError("late"));
  }

  EXPECT_FALSE(scene.inspection_asked("web"));
  EXPECT_THAT(scene.Told(), ElementsAre("web 0 running"));
  EXPECT_EQ(scene.state().uninspected(), 1);
  EXPECT_TRUE(scene.state().in_sync());

  // Until the next list.
  scene.Wait(absl::Minutes(5));
  scene.AnswerAll();
  EXPECT_THAT(scene.Told(), ElementsAre("web 100 running"));
  EXPECT_EQ(scene.state().uninspected(), 0);
}

TEST(SyncState, CountsWhatIsListedInNoStateAndCannotBeInspected) {
  SyncScene scene;
  scene.Connect();
  Sighting row;
  row.row.container.set_id("web");
  row.row.partial = true;
  scene.state().Listed(scene.state().attempt(), std::vector<Sighting>{row}, scene.now());
  for (int i = 0; i < 3; ++i) {
    scene.state().Inspected(scene.state().attempt(), {"", "web"}, absl::UnavailableError("hangs"),
                            scene.now());
  }

  EXPECT_THAT(scene.Told(), IsEmpty());
  EXPECT_EQ(scene.state().uninspected(), 1);
  EXPECT_TRUE(scene.state().in_sync());
}

TEST(SyncState, CountsWhatIsListedTwice) {
  SyncScene scene;
  scene.Connect();
  Sighting row;
  row.row.container.set_id("web");
  row.row.container.set_name("first");
  row.row.container.set_state(Container::running);
  Sighting again = row;
  again.row.container.set_name("second");

  const SyncActions actions =
      scene.state().Listed(1, std::vector<Sighting>{row, again, again}, scene.now());

  ASSERT_EQ(actions.changes.size(), 1);
  EXPECT_EQ(actions.changes[0].container().name(), "first");
  EXPECT_EQ(scene.state().duplicates(), 2);
}

TEST(SyncState, SeesSomebodyWhoChangesAllTheTime) {
  SyncScene scene;
  scene.Connect();
  scene.AnswerAll();
  scene.Deliver(scene.Start("web"));
  for (int i = 0; i < 20; ++i) {
    scene.ReadInspection("web");
    scene.Deliver(scene.Rename("web", absl::StrCat("web", i)));
    scene.AnswerInspection("web");
  }

  EXPECT_THAT(scene.TakeChanges(), ::testing::Contains(::testing::StartsWith("started web")));
  scene.AnswerAll();
  EXPECT_EQ(scene.Told(), scene.Truth());
}

TEST(SyncState, EndsWhatEndedWithItsEngineAndAwaitsTheEndOfTheRest) {
  SyncScene scene;
  scene.Start("db");
  scene.Start("web");
  scene.Connect();
  scene.AnswerAll();
  scene.TakeChanges();
  scene.Die("db");

  scene.LoseEngine();

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited db 100"));
  EXPECT_THAT(scene.Told(), ElementsAre("web 101 running"));
  scene.Die("web");
  scene.DeliverExits();
  scene.DeliverExits();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 101"));
  EXPECT_THAT(scene.Told(), IsEmpty());
  EXPECT_EQ(scene.state().next_tick(), absl::InfiniteFuture());
}

TEST(SyncState, KeepsOneThatIsBetweenTwoProcesses) {
  SyncScene scene;
  scene.SyncWith("web");
  Sighting restarting;
  restarting.row.container.set_id("web");
  restarting.row.container.set_name("web");
  restarting.row.container.set_state(Container::restarting);
  restarting.row.container.set_exit_code(1);
  scene.Deliver(scene.Die("web", 1));
  SyncActions actions =
      scene.state().Inspected(scene.state().attempt(), {"", "web"}, restarting, scene.now());

  EXPECT_THAT(scene.TakeChanges(), ElementsAre("exited web 100 1"));
  EXPECT_THAT(scene.Told(), ElementsAre("web 0 restarting"));
  scene.Deliver(scene.Start("web"));
  scene.AnswerAll();
  EXPECT_THAT(scene.TakeChanges(), ElementsAre("started web 101"));
}

}  // namespace
}  // namespace nsctl::engines
