#include <cstddef>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/sync_scene.h"
#include "engines/sync_state.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

// Whatever happens, in whatever order it is heard of, if at all: in the end what is told is true,
// and no change was told that was none.
TEST(SyncStateRandom, EndsWithTheTruth) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto dice = [&random](unsigned sides) { return random() % sides; };
    SyncScene scene(SyncOptions{.replays = seed % 2 == 0});
    scene.SetPartialLists(seed % 3 == 0);
    bool connected = false;
    std::deque<EngineEvent> events;
    std::map<std::string, Container::State> states;
    for (int step = 0; step < 150; ++step) {
      const std::string id(1, static_cast<char>('a' + dice(4)));
      Container::State& state = states[id];
      const bool alive = IsAlive(state);
      switch (dice(12)) {
        case 0:
        case 1:
          if (!alive) events.push_back(scene.Start(id));
          if (!alive) state = Container::running;
          break;
        case 2:
          if (alive) events.push_back(scene.Die(id));
          if (alive) state = Container::exited;
          break;
        case 3:
          if (alive) {
            const bool pause = state == Container::running;
            events.push_back(pause ? scene.Pause(id) : scene.Unpause(id));
            state = pause ? Container::paused : Container::running;
          }
          break;
        case 4:
          if (alive) events.push_back(scene.Rename(id, absl::StrCat(id, step)));
          break;
        case 5:
          if (connected && dice(8) == 0) {
            scene.Disconnect();
            connected = false;
            events.clear();
          } else if (!connected) {
            scene.Connect();
            connected = true;
          }
          break;
        case 6:
          if (scene.list_asked()) dice(2) == 0 ? scene.ReadList() : scene.AnswerList();
          break;
        case 7:
          if (scene.inspection_asked(id)) {
            dice(2) == 0 ? (void)scene.ReadInspection(id) : scene.AnswerInspection(id);
          }
          break;
        case 8:
          scene.DeliverExits();
          break;
        case 9:
          scene.Wait(absl::Milliseconds(dice(1500)));
          break;
        default:
          if (!events.empty() && connected) {
            // Late, twice, never, or in another order.
            const size_t which = dice(4) == 0 ? dice(static_cast<unsigned>(events.size())) : 0;
            const EngineEvent event = events[which];
            if (dice(10) != 0) scene.Deliver(event);
            if (dice(10) != 0) events.erase(events.begin() + static_cast<ptrdiff_t>(which));
          }
      }
    }
    if (!connected) scene.Connect();
    scene.AnswerAll();
    scene.Wait(absl::Minutes(6));
    scene.AnswerAll();
    // Events that are owed never come.
    scene.Wait(absl::Seconds(2));
    scene.AnswerAll();

    EXPECT_EQ(scene.Told(), scene.Truth());
    EXPECT_TRUE(scene.state().in_sync());
    std::map<std::string, bool> running;
    for (const std::string& change : scene.TakeChanges()) {
      const std::vector<std::string> words = absl::StrSplit(change, ' ');
      const std::string id = words[1].substr(0, 1);
      if (words[0] == "started") {
        EXPECT_FALSE(running[id]) << change;
        running[id] = true;
      } else {
        EXPECT_TRUE(running[id]) << change;
        if (words[0] == "exited") running[id] = false;
      }
    }
  }
}

}  // namespace
}  // namespace nsctl::engines
