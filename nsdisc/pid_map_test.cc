#include "nsdisc/pid_map.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The host's namespace 1, a container's 2, and 3 inside of that. 4 is of unknown parentage.
Snapshot Host() {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        namespaces { type: pid inode: 1 children: 2 }
        namespaces { type: pid inode: 2 parent: 1 children: 3 }
        namespaces { type: pid inode: 3 parent: 2 }
        processes {
          pid: 10
          namespaces { pid: 1 }
        }
        processes {
          pid: 20
          namespaces { pid: 2 }
          namespaced_pids: 20
          namespaced_pids: 1
        }
        processes {
          pid: 6427
          namespaces { pid: 3 }
          namespaced_pids: 6427
          namespaced_pids: 235
          namespaced_pids: 7
        }
        processes {
          pid: 6500
          namespaces { pid: 4 }
          namespaced_pids: 6500
          namespaced_pids: 9
        }
        processes {
          pid: 6600
          namespaces { pid: 3 }
        }
        processes { pid: 6700 }
      )pb",
      &snapshot));
  return snapshot;
}

TEST(PidMap, TellsAllNumbersFromTheOutermostDownward) {
  const Snapshot snapshot = Host();
  const SnapshotIndex index(snapshot);
  const PidMap map(index);

  EXPECT_THAT(map.NumbersOf(6427),
              ElementsAre(PidMap::Number{1, 6427}, PidMap::Number{2, 235}, PidMap::Number{3, 7}));
  EXPECT_THAT(map.NumbersOf(10), ElementsAre(PidMap::Number{1, 10}));
}

TEST(PidMap, TranslatesInBothDirections) {
  const Snapshot snapshot = Host();
  const SnapshotIndex index(snapshot);
  const PidMap map(index);

  EXPECT_EQ(map.Translate(235, 2, 1), 6427);
  EXPECT_EQ(map.Translate(6427, 1, 3), 7);
  EXPECT_EQ(map.Translate(7, 3, 2), 235);
  EXPECT_EQ(map.Translate(1, 2, 2), 1);
  EXPECT_EQ(map.Find(7, 3), 6427);
}

TEST(PidMap, HasNoNumberWhereThereIsNone) {
  const Snapshot snapshot = Host();
  const SnapshotIndex index(snapshot);
  const PidMap map(index);

  EXPECT_EQ(map.Translate(10, 1, 2), std::nullopt);
  EXPECT_EQ(map.Translate(11, 1, 1), std::nullopt);
  EXPECT_EQ(map.Translate(1, 77, 1), std::nullopt);
}

// A chain that is shorter than the numbers, a process that was not asked, and one that could not
// be.
TEST(PidMap, DoesNotGuess) {
  const Snapshot snapshot = Host();
  const SnapshotIndex index(snapshot);
  const PidMap map(index);

  EXPECT_THAT(map.NumbersOf(6500), IsEmpty());
  EXPECT_THAT(map.NumbersOf(6600), IsEmpty());
  EXPECT_THAT(map.NumbersOf(6700), IsEmpty());
  EXPECT_THAT(map.NumbersOf(4), IsEmpty());
}

}  // namespace
}  // namespace nsctl::nsdisc
