#include "engines/container_state.h"

#include "engines/container.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

TEST(ContainerState, MapsEveryWordOfDocker) {
  EXPECT_EQ(StateFromDocker("created"), Container::created);
  EXPECT_EQ(StateFromDocker("running"), Container::running);
  EXPECT_EQ(StateFromDocker("paused"), Container::paused);
  EXPECT_EQ(StateFromDocker("restarting"), Container::restarting);
  EXPECT_EQ(StateFromDocker("removing"), Container::dead);
  EXPECT_EQ(StateFromDocker("exited"), Container::exited);
  EXPECT_EQ(StateFromDocker("dead"), Container::dead);
}

TEST(ContainerState, MapsEveryWordOfPodman) {
  EXPECT_EQ(StateFromPodman("configured"), Container::created);
  EXPECT_EQ(StateFromPodman("initialized"), Container::created);
  EXPECT_EQ(StateFromPodman("stopping"), Container::stopping);
  EXPECT_EQ(StateFromPodman("stopped"), Container::exited);
  EXPECT_EQ(StateFromPodman("exited"), Container::exited);
  EXPECT_EQ(StateFromPodman("removing"), Container::dead);
  EXPECT_EQ(StateFromPodman("paused"), Container::paused);
}

TEST(ContainerState, MapsNumbersAsTheirSchemasCountThem) {
  EXPECT_EQ(StateFromContainerd(2), Container::running);
  EXPECT_EQ(StateFromContainerd(5), Container::pausing);
  EXPECT_EQ(StateFromCri(0), Container::created);
  EXPECT_EQ(StateFromCri(2), Container::exited);
  EXPECT_EQ(StateFromIncus(103), Container::running);
  EXPECT_EQ(StateFromIncus(110), Container::paused);
  EXPECT_EQ(StateFromLxc(2), Container::running);
  EXPECT_EQ(StateFromLxc(6), Container::paused);
  EXPECT_EQ(StateFromLxc(7), Container::running);
}

TEST(ContainerState, LeavesOpenWhatItDoesNotKnow) {
  EXPECT_EQ(StateFromDocker(""), Container::unknown);
  EXPECT_EQ(StateFromDocker("Running"), Container::unknown);
  EXPECT_EQ(StateFromPodman("hibernating"), Container::unknown);
  EXPECT_EQ(StateFromContainerd(0), Container::unknown);
  EXPECT_EQ(StateFromContainerd(-1), Container::unknown);
  EXPECT_EQ(StateFromCri(3), Container::unknown);
  EXPECT_EQ(StateFromIncus(1LL << 40), Container::unknown);
  EXPECT_EQ(StateFromLxc(8), Container::unknown);
  EXPECT_FALSE(IsAlive(Container::unknown));
}

}  // namespace
}  // namespace nsctl::engines
