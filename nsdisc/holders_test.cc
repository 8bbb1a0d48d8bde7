#include "nsdisc/holders.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

std::vector<std::string> Show(const Snapshot& snapshot, int position) {
  std::vector<std::string> shown;
  const SnapshotIndex index(snapshot);
  for (const HolderCount& holder : HoldersOf(index, snapshot.namespaces(position))) {
    shown.push_back(absl::StrCat(HolderKindName(holder.kind), " ", holder.count));
  }
  return shown;
}

TEST(HoldersOf, TellsEveryKindInTheirOrder) {
  const Snapshot snapshot = Parse(R"pb(
    namespaces {
      type: user
      inode: 1
      process_count: 12
      loose_threads: 5
      loose_threads: 6
      for_children_of: 7
      fds { kind: pidfd pid: 1 fd: 1 }
      fds { kind: namespace_file pid: 1 fd: 2 }
      fds { kind: tun pid: 1 fd: 3 }
      fds { kind: namespace_file pid: 2 fd: 2 }
      fd_count: 4
      socket_count: 70000
      bind_mounts { path: "/a" }
      bind_mount_count: 3
      children: 2
    }
    namespaces { type: user inode: 2 parent: 1 }
    namespaces { type: net inode: 3 owner: 1 }
    namespaces { type: net inode: 4 dark: true }
  )pb");

  EXPECT_THAT(Show(snapshot, 0),
              ElementsAre("process 12", "thread 2", "for-children 1", "fd 2", "tun 1", "pidfd 1",
                          "socket 70000", "bind-mount 3", "child 1", "owned 1"));
  EXPECT_THAT(Show(snapshot, 3), IsEmpty());
}

TEST(HolderKindFromName, IsTheInverseOfItsName) {
  for (int i = 0; i < kHolderKindCount; ++i) {
    const auto kind = static_cast<HolderKind>(i);
    EXPECT_EQ(HolderKindFromName(HolderKindName(kind)), kind);
  }
  EXPECT_EQ(HolderKindFromName("bindmount"), HolderKind::kBindMount);
  EXPECT_EQ(HolderKindFromName("FD"), std::nullopt);
  EXPECT_EQ(HolderKindFromName(""), std::nullopt);
}

}  // namespace
}  // namespace nsctl::nsdisc
