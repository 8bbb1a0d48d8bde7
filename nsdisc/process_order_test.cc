#include "nsdisc/process_order.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

TEST(ProcessOrder, PutsParentsBeforeChildrenWhateverTheirNumbers) {
  const Snapshot snapshot = Parse(R"pb(
    processes { pid: 1 }
    processes { pid: 5 parent_pid: 9 }
    processes { pid: 9 parent_pid: 1 }
    processes { pid: 12 parent_pid: 7 })pb");

  const ProcessOrder order(snapshot);

  EXPECT_THAT(order.TopDown(), ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(order.ParentOf(1), 2);
  EXPECT_EQ(order.DepthOf(1), 2);
  EXPECT_EQ(order.ParentOf(3), ProcessOrder::kNone);
  EXPECT_TRUE(order.Descends(1, 0));
  EXPECT_TRUE(order.Descends(1, 1));
  EXPECT_FALSE(order.Descends(0, 1));
}

TEST(ProcessOrder, BreaksCircles) {
  const Snapshot snapshot = Parse(R"pb(
    processes { pid: 2 parent_pid: 4 }
    processes { pid: 3 parent_pid: 2 }
    processes { pid: 4 parent_pid: 3 }
    processes { pid: 6 parent_pid: 6 }
    processes { pid: 8 parent_pid: 3 })pb");

  const ProcessOrder order(snapshot);

  EXPECT_THAT(order.TopDown(), ElementsAre(1, 2, 0, 3, 4));
  EXPECT_EQ(order.ParentOf(1), ProcessOrder::kNone);
  EXPECT_EQ(order.ParentOf(3), ProcessOrder::kNone);
  EXPECT_TRUE(order.Descends(0, 1));
}

TEST(PositionOf, TellsProcessesApartByWhenTheyStarted) {
  const Snapshot snapshot = Parse("processes { pid: 1 } processes { pid: 4 start_time: 70 }");

  EXPECT_EQ(PositionOf(snapshot, 4), 1);
  EXPECT_EQ(PositionOf(snapshot, 3), ProcessOrder::kNone);
  EXPECT_EQ(PositionOf(snapshot, 4, 70), 1);
  EXPECT_EQ(PositionOf(snapshot, 4, 71), ProcessOrder::kNone);
  EXPECT_EQ(PositionOf(snapshot, 1, 0), ProcessOrder::kNone);
}

}  // namespace
}  // namespace nsctl::nsdisc
