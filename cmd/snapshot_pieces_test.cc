#include "cmd/snapshot_pieces.h"

#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::google::protobuf::Message;
using ::google::protobuf::util::MessageDifferencer;
using ::nsctl::nsdisc::Snapshot;

Snapshot MakeSnapshot() {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        format: "nsctl.snapshot.v1"
        producer: "0.1.0"
        taken_at { seconds: 5 }
        host { hostname: "h" }
        options { threads: loose }
        statistics { namespaces: 2 processes: 1 gaps: 1 }
        namespaces { type: mnt inode: 1 leaders: 1 leaders: 2 }
        namespaces { type: net inode: 2 }
        processes { pid: 1 name: "init" cgroups: 0 }
        cgroups { unified: "/" }
        mounts {
          inode: 1
          mounts { mount_id: 5 mount_point: "/" }
        }
        gaps { subject: "pid:1" }
        complete: true
      )pb",
      &snapshot));
  return snapshot;
}

std::vector<Snapshot> Collect(const Snapshot& snapshot) {
  std::vector<Snapshot> pieces;
  ForEachSnapshotPiece(snapshot, [&](const Message& piece) {
    pieces.push_back(static_cast<const Snapshot&>(piece));
  });
  return pieces;
}

TEST(ForEachSnapshotPiece, GivesTheWholeWhenMerged) {
  const Snapshot snapshot = MakeSnapshot();

  Snapshot merged;
  for (const Snapshot& piece : Collect(snapshot)) merged.MergeFrom(piece);

  EXPECT_TRUE(MessageDifferencer::Equals(merged, snapshot)) << merged.DebugString();
}

TEST(ForEachSnapshotPiece, PutsTheFormatFirstAndTheMarkLast) {
  const std::vector<Snapshot> pieces = Collect(MakeSnapshot());

  ASSERT_EQ(pieces.size(), 7u);
  EXPECT_EQ(pieces.front().format(), "nsctl.snapshot.v1");
  for (size_t i = 0; i + 1 < pieces.size(); ++i) EXPECT_FALSE(pieces[i].complete()) << i;
  EXPECT_TRUE(pieces.back().complete());
}

TEST(ForEachSnapshotPiece, HasOneElementPerPiece) {
  const std::vector<Snapshot> pieces = Collect(MakeSnapshot());

  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].namespaces_size() + pieces[i].processes_size() + pieces[i].mounts_size() +
                  pieces[i].gaps_size(),
              1)
        << i;
  }
}

}  // namespace
}  // namespace nsctl::cmd
