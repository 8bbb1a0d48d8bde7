#include "nsdisc/message_diff.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

Process Parse(const std::string& text) {
  Process process;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &process)) << text;
  return process;
}

std::vector<FieldChange> Diff(const std::string& before, const std::string& after) {
  return DiffMessages(Parse(before), Parse(after), [](absl::string_view) { return false; });
}

TEST(DiffMessages, FindsScalarsAtAnyDepth) {
  const std::vector<FieldChange> changes =
      Diff("name: 'a' uid: 0 namespaces { net: 1 } scheduling { policy: rr }",
           "name: 'b' namespaces { net: 2 } scheduling { policy: fifo }");

  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].field(), "name");
  EXPECT_THAT(changes[0].before(), ElementsAre("a"));
  EXPECT_THAT(changes[0].after(), ElementsAre("b"));
  EXPECT_EQ(changes[1].field(), "uid");
  EXPECT_THAT(changes[1].before(), ElementsAre("0"));
  EXPECT_THAT(changes[1].after(), IsEmpty()) << "absent, not zero";
  EXPECT_EQ(changes[2].field(), "namespaces.net");
  EXPECT_EQ(changes[3].field(), "scheduling.policy");
  EXPECT_THAT(changes[3].before(), ElementsAre("rr"));
}

TEST(DiffMessages, ComparesListsAsSets) {
  const std::vector<FieldChange> changes =
      Diff("command_line: ['a', 'b', 'b'] threads { tid: 1 name: 'x' }",
           "command_line: ['b', 'c'] threads { tid: 1 name: 'y' namespaces {} }");

  ASSERT_EQ(changes.size(), 2u);
  EXPECT_THAT(changes[0].before(), ElementsAre("a", "b"));
  EXPECT_THAT(changes[0].after(), ElementsAre("c"));
  EXPECT_THAT(changes[1].before(), ElementsAre("tid=1 start_time=0 name=x"));
  EXPECT_THAT(changes[1].after(), ElementsAre("tid=1 start_time=0 name=y namespaces { }"));
  EXPECT_THAT(Diff("command_line: ['a', 'b']", "command_line: ['b', 'a']"), IsEmpty());
}

TEST(DiffMessages, IgnoresWhatItIsTold) {
  std::vector<std::string> asked;
  const std::vector<FieldChange> changes = DiffMessages(
      Parse("name: 'a' namespaces { net: 1 }"), Parse("name: 'b'"), [&](absl::string_view path) {
        asked.emplace_back(path);
        return path == "name" || path == "namespaces";
      });

  EXPECT_THAT(changes, IsEmpty());
  EXPECT_THAT(asked, Contains("namespaces"));
  EXPECT_THAT(asked, Not(Contains("namespaces.net")));
}

TEST(MessageText, IsOneLine) {
  IdMapping mapping;
  mapping.set_outside(1000);
  mapping.set_count(1);
  EXPECT_EQ(MessageText(mapping), "inside=0 outside=1000 count=1");

  NamespaceSet set;
  set.set_net(7);
  EXPECT_EQ(MessageText(set), "net=7");

  Scanner scanner;
  scanner.set_pid(5);
  *scanner.mutable_namespaces() = set;
  EXPECT_EQ(MessageText(scanner), "pid=5 namespaces { net=7 }");
  EXPECT_EQ(MessageText(NamespaceSet()), "");
}

TEST(FieldPaths, NamesFieldsOfMessagesBelowThem) {
  const std::vector<std::string> paths = FieldPaths(*Process::descriptor());
  EXPECT_THAT(paths, Contains("name"));
  EXPECT_THAT(paths, Contains("namespaces"));
  EXPECT_THAT(paths, Contains("namespaces.net"));
  EXPECT_THAT(paths, Contains("threads"));
  EXPECT_THAT(paths, Not(Contains("threads.tid")));
}

}  // namespace
}  // namespace nsctl::nsdisc
