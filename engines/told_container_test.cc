#include "engines/told_container.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Sighting Running(const std::shared_ptr<FakeProcess>& process) {
  Sighting sighting;
  sighting.row.container.set_id("web");
  sighting.row.container.set_name("web");
  sighting.row.container.set_state(Container::running);
  sighting.row.container.set_engine_pid(process->pid());
  sighting.process = process;
  return sighting;
}

class ToldContainerTest : public ::testing::Test {
 protected:
  std::vector<std::string> Show(const Sighting& sighting) {
    std::vector<Change> changes;
    told_.Show(sighting, {.source = Change::list, .now = absl::UnixEpoch()}, &changes);
    std::vector<std::string> kinds;
    for (const Change& change : changes) kinds.push_back(Change::Kind_Name(change.kind()));
    return kinds;
  }

  ToldContainer told_;
  std::shared_ptr<FakeProcess> process_ = std::make_shared<FakeProcess>(7, 70);
};

TEST_F(ToldContainerTest, TellsTheSameOnce) {
  EXPECT_THAT(Show(Running(process_)), ElementsAre("started"));
  EXPECT_THAT(Show(Running(process_)), IsEmpty());
}

TEST_F(ToldContainerTest, KeepsWhatAListDoesNotSay) {
  Sighting inspected = Running(process_);
  inspected.row.container.set_runtime("runc");
  inspected.row.container.set_cgroup("/web");
  inspected.row.container.mutable_started_at()->set_seconds(5);
  EXPECT_THAT(Show(inspected), ElementsAre("started"));

  EXPECT_THAT(Show(Running(process_)), IsEmpty());
  EXPECT_EQ(told_.container()->runtime(), "runc");
  EXPECT_EQ(told_.container()->cgroup(), "/web");
}

TEST_F(ToldContainerTest, TellsAnotherProcessWithTheSameNumberApart) {
  EXPECT_THAT(Show(Running(process_)), ElementsAre("started"));

  EXPECT_THAT(Show(Running(std::make_shared<FakeProcess>(7, 71))),
              ElementsAre("exited", "started"));
}

TEST_F(ToldContainerTest, TellsThePodsNameWhenItIsKnown) {
  Sighting sighting = Running(process_);
  sighting.row.pod.emplace().set_id("p");
  EXPECT_THAT(Show(sighting), ElementsAre("started"));
  sighting.row.pod->set_name("shop");
  EXPECT_THAT(Show(sighting), ElementsAre("updated"));

  sighting.row.pod->clear_name();
  EXPECT_THAT(Show(sighting), IsEmpty());
  EXPECT_EQ(told_.pod()->name(), "shop");
}

TEST_F(ToldContainerTest, EndsOnce) {
  EXPECT_THAT(Show(Running(process_)), ElementsAre("started"));
  Sighting ended;
  ended.row.container.set_id("web");
  ended.row.container.set_state(Container::exited);

  EXPECT_THAT(Show(ended), ElementsAre("exited"));
  EXPECT_THAT(Show(ended), IsEmpty());
  EXPECT_EQ(told_.container(), nullptr);
}

}  // namespace
}  // namespace nsctl::engines
