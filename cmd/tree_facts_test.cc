#include "cmd/tree_facts.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FactsOf(const char* text) {
  NamespaceTree::Node node;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &node));
  return NodeFacts(node);
}

TEST(NodeFacts, TellsWhatIsKnown) {
  EXPECT_THAT(FactsOf(R"pb(namespace { type: net inode: 7 })pb"), IsEmpty());
  EXPECT_THAT(FactsOf(R"pb(
                namespace {
                  type: user
                  inode: 7
                  kernel_id: 9
                  uid_map { inside: 0 outside: 1000 count: 1 }
                  uid_map { inside: 1 outside: 100000 count: 65536 }
                  gid_map { inside: 0 outside: 1000 count: 1 }
                  setgroups_allowed: false
                }
                held_by { kind: "process" count: 3 }
                held_by { kind: "owned" count: 1 }
              )pb"),
              ElementsAre("held by process 3, owned 1", "uid map 0 1000 1, 1 100000 65536",
                          "gid map 0 1000 1", "setgroups denied", "kernel id 9"));
  EXPECT_THAT(FactsOf(R"pb(namespace { type: net nsid: 0 names: "a" names: "b" })pb"),
              ElementsAre("named a, b", "nsid 0"));
  EXPECT_THAT(FactsOf(R"pb(namespace {
                             type: time
                             clock_offsets { clock: "monotonic" seconds: -3 nanoseconds: 5 }
                           })pb"),
              ElementsAre("monotonic offset -3 s 5 ns"));
  EXPECT_THAT(FactsOf(R"pb(namespace { type: mnt mount_count: 0 dark: true })pb"),
              ElementsAre("held by nothing in sight", "mounts 0"));
}

}  // namespace
}  // namespace nsctl::cmd
