#include "cmd/unseen_holders.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

nsdisc::Snapshot Parse(const char* text) {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

constexpr char kAllUsed[] = R"pb(
  statistics {
    sources { source: threads }
    sources { source: fds }
    sources { source: sockets }
    sources { source: bind_mounts }
    sources { source: mount_namespace_list }
    sources { source: namespace_list }
  }
)pb";

TEST(DescribeUnseen, IsEmptyWhereAllWasLookedAt) {
  const nsdisc::Snapshot snapshot = Parse(kAllUsed);

  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kUser), IsEmpty());
  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kNet), IsEmpty());
}

TEST(DescribeUnseen, NamesSourcesThatMatterToTheType) {
  const nsdisc::Snapshot snapshot = Parse(R"pb(
    statistics {
      ended_pidfds: 2
      sources { source: threads }
      sources { source: fds }
      sources { source: sockets state: off }
      sources { source: bind_mounts }
      sources { source: mount_namespace_list }
      sources { source: namespace_list state: unavailable }
    }
  )pb");

  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kUts), IsEmpty());
  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kNet),
              ElementsAre("sockets were not looked at"));
  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kPid),
              ElementsAre("namespaces that nothing in sight holds could not be looked at",
                          "pidfds of ended processes, which keep PID namespaces: 2"));
}

TEST(DescribeUnseen, AnOldSnapshotLookedAtNothing) {
  EXPECT_THAT(DescribeUnseen({}, NamespaceType::kUts),
              ElementsAre("threads were not looked at", "descriptors were not looked at",
                          "bind mounts were not looked at",
                          "mount namespaces that nothing in sight holds were not looked at"));
}

TEST(DescribeUnseen, TellsGapsThatMatterToTheType) {
  nsdisc::Snapshot snapshot = Parse(kAllUsed);
  const auto add = [&](const char* consequence) {
    nsdisc::Gap* const gap = snapshot.add_gaps();
    gap->set_subject("pid:7");
    gap->set_operation("read x");
    gap->set_error("EACCES");
    gap->set_consequence(consequence);
    gap->set_count(1);
  };
  add("what its descriptors hold is unknown");
  add("its cgroups are unknown");
  add("the network namespaces of its sockets are unknown");
  add("its owner is unknown");
  add("processes outside of this PID namespace are hidden");

  const char kFds[] =
      "missing: 1 process (pid:7): read x: EACCES: what its descriptors hold is unknown";
  const char kSockets[] =
      "missing: 1 process (pid:7): read x: EACCES: the network namespaces of its sockets are "
      "unknown";
  const char kHidden[] =
      "missing: 1 process (pid:7): read x: EACCES: processes outside of this PID namespace are "
      "hidden";
  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kUts), ElementsAre(kFds, kHidden));
  EXPECT_THAT(DescribeUnseen(snapshot, NamespaceType::kNet), ElementsAre(kFds, kSockets, kHidden));
  EXPECT_THAT(
      DescribeUnseen(snapshot, NamespaceType::kUser),
      ElementsAre(kFds, kSockets,
                  "missing: 1 process (pid:7): read x: EACCES: its owner is unknown", kHidden));
}

}  // namespace
}  // namespace nsctl::cmd
