#include "nsdisc/diff.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::StatusIs;

constexpr char kHost[] = "host { boot_id: 'b' } options { threads: loose } ";
constexpr char kUser[] =
    "namespaces { type: user inode: 1 kernel_id: 10 initial: true ealdorman: 1 process_count: 1 }";
constexpr char kInit[] = "processes { pid: 1 start_time: 5 uid: 0 namespaces { user: 1 pid: 3 } }";

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot)) << text;
  return snapshot;
}

std::string Values(const google::protobuf::RepeatedPtrField<std::string>& values, bool unknown) {
  return unknown ? "?" : absl::StrCat("[", absl::StrJoin(values, ","), "]");
}

// "removed net:[2]", "changed pid:1 name [a]->[b]", "unknown net:[2] (reason)".
std::vector<std::string> Sketch(const SnapshotDiff& diff) {
  std::vector<std::string> lines;
  for (const Change& change : diff.changes()) {
    std::string line = absl::StrCat(Change::Kind_Name(change.kind()), " ", change.subject());
    for (const FieldChange& field : change.fields()) {
      absl::StrAppend(&line, " ", field.field(), " ",
                      Values(field.before(), field.unknown_before()), "->",
                      Values(field.after(), field.unknown_after()));
    }
    if (!change.reason().empty()) absl::StrAppend(&line, " (", change.reason(), ")");
    lines.push_back(line);
  }
  return lines;
}

// Of two hosts that have the same beginning.
SnapshotDiff Diff(const std::string& before, const std::string& after,
                  const DiffOptions& options = {}) {
  auto diff = DiffSnapshots(Parse(kHost + before), Parse(kHost + after), options);
  EXPECT_TRUE(diff.ok()) << diff.status();
  return diff.ok() ? *diff : SnapshotDiff();
}
std::vector<std::string> Changes(const std::string& before, const std::string& after,
                                 const DiffOptions& options = {}) {
  return Sketch(Diff(before, after, options));
}

TEST(DiffSnapshots, FindsNothingWhereNothingChanged) {
  const SnapshotDiff diff = Diff(absl::StrCat(kUser, kInit), absl::StrCat(kUser, kInit));

  EXPECT_TRUE(diff.equal());
  EXPECT_THAT(diff.changes(), IsEmpty());
  EXPECT_THAT(diff.gaps(), IsEmpty());
}

TEST(DiffSnapshots, FindsWhatCameAndWent) {
  const SnapshotDiff diff =
      Diff("namespaces { type: net inode: 2 } processes { pid: 7 start_time: 1 name: 'a' }",
           "namespaces { type: net inode: 3 } processes { pid: 8 start_time: 2 name: 'b' }");

  EXPECT_FALSE(diff.equal());
  EXPECT_THAT(Sketch(diff),
              ElementsAre("removed net:[2]", "added net:[3]", "removed pid:7", "added pid:8"));
  EXPECT_EQ(diff.changes(0).namespace_().inode(), 2u);
  EXPECT_EQ(diff.changes(3).process().name(), "b");
}

TEST(DiffSnapshots, FindsWhatChanged) {
  EXPECT_THAT(
      Changes("namespaces { type: user inode: 2 uid_map { inside: 0 outside: 5 count: 1 } }"
              "processes { pid: 7 parent_pid: 1 name: 'a' namespaces { net: 4 } }",
              "namespaces { type: user inode: 2 uid_map { inside: 0 outside: 6 count: 1 } }"
              "processes { pid: 7 parent_pid: 3 name: 'b' namespaces { net: 5 } }",
              {.ignored = {"uid_map"}}),
      ElementsAre("changed pid:7 parent_pid [1]->[3] name [a]->[b] namespaces.net [4]->[5]"));
}

// Numbers are dealt again: what has another 64-bit id, or another start, is another.
TEST(DiffSnapshots, TellsApartWhatHasTheSameNumber) {
  EXPECT_THAT(Changes("namespaces { type: net inode: 2 kernel_id: 8 }",
                      "namespaces { type: net inode: 2 kernel_id: 9 }"),
              ElementsAre("removed net:[2]", "added net:[2]"));
  EXPECT_THAT(Changes("processes { pid: 7 start_time: 1 }", "processes { pid: 7 start_time: 2 }"),
              ElementsAre("removed pid:7", "added pid:7"));
  EXPECT_THAT(Changes("processes { pid: 7 start_time: 1 pidfd_inode: 4 }",
                      "processes { pid: 7 start_time: 1 pidfd_inode: 5 }"),
              ElementsAre("removed pid:7", "added pid:7"));
}

// Two namespaces never have one inode at a time.
TEST(DiffSnapshots, KnowsThatWhatLostItsNumberIsGone) {
  EXPECT_THAT(Changes("namespaces { type: net inode: 2 kernel_id: 8 }",
                      "namespaces { type: net inode: 2 kernel_id: 9 }"
                      "processes { pid: 7 namespaces_error: 'EACCES' }"),
              ElementsAre("removed net:[2]", "added net:[2]", "added pid:7"));
}

TEST(DiffSnapshots, KnowsAgainWhatOneSideHasNoIdOf) {
  EXPECT_THAT(Changes("namespaces { type: net inode: 2 kernel_id: 8 }",
                      "namespaces { type: net inode: 2 }"),
              IsEmpty());
  EXPECT_THAT(Changes("processes { pid: 7 start_time: 1 pidfd_inode: 4 }",
                      "processes { pid: 7 start_time: 1 }"),
              IsEmpty());
}

TEST(DiffSnapshots, ComparesNothingOfDifferentBoots) {
  EXPECT_THAT(
      DiffSnapshots(Parse("host { boot_id: 'a' }"), Parse("host { boot_id: 'b' }"), {}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("of different boots (a and b)")));
  const auto unknown = DiffSnapshots(Parse(""), Parse("host { boot_id: 'b' }"), {});
  ASSERT_THAT(unknown, testing::IsOk());
  EXPECT_EQ(unknown->gaps_size(), 1);
}

// A process whose namespaces are not known may be in the one that is missing.
TEST(DiffSnapshots, DoesNotTakeWhatIsHiddenForRemoved) {
  const std::string seen =
      "namespaces { type: net inode: 2 process_count: 1 }"
      "processes { pid: 7 uid: 0 namespaces { net: 2 } }";
  const std::string hidden =
      "processes { pid: 7 uid: 0 namespaces_error: 'EACCES' }"
      "gaps { subject: 'pid:7' operation: 'readlinkat ns' }";
  const SnapshotDiff diff = Diff(seen, hidden);
  EXPECT_TRUE(diff.equal());
  EXPECT_THAT(
      Sketch(diff),
      ElementsAre("unknown net:[2] (not seen after: the namespaces of process 7, which is in it, "
                  "are unknown (EACCES))",
                  "unknown pid:7 namespaces.net [2]->?"));
  EXPECT_THAT(Sketch(Diff(hidden, seen)),
              ElementsAre("unknown net:[2] (not seen before: the namespaces of process 7, which is "
                          "in it, are unknown (EACCES))",
                          "unknown pid:7 namespaces.net ?->[2]"));
  // What both do not know hides nothing.
  EXPECT_THAT(Changes(hidden + "namespaces { type: net inode: 3 }", hidden),
              ElementsAre("removed net:[3]"));
}

TEST(DiffSnapshots, DoesNotTakeHiddenProcessesForRemoved) {
  const SnapshotDiff diff =
      Diff("processes { pid: 7 } namespaces { type: net inode: 2 }",
           "gaps { subject: 'host' operation: 'mount option hidepid' error: 'EPERM' }");
  EXPECT_TRUE(diff.equal());
  EXPECT_THAT(Sketch(diff), ElementsAre("unknown net:[2] (not seen after: processes are hidden)",
                                        "unknown pid:7 (not seen after: processes are hidden)"));
}

TEST(DiffSnapshots, DoesNotTakeWhatASourceWouldShowForRemoved) {
  const std::string sources = "statistics { sources { source: bind_mounts } }";
  EXPECT_THAT(
      Changes(sources + "namespaces { type: net inode: 2 bind_mounts { path: '/x' } }", ""),
      ElementsAre("unknown net:[2] (not seen after: the source bind_mounts was not looked at)"));
  EXPECT_THAT(
      Changes(sources + "namespaces { type: net inode: 2 bind_mounts { path: '/x' } }", sources),
      ElementsAre("removed net:[2]"));
  EXPECT_THAT(Changes("namespaces { type: user inode: 2 children: 3 }"
                      "namespaces { type: user inode: 3 parent: 2 }",
                      "namespaces { type: user inode: 3 }"),
              ElementsAre("unknown user:[2] (not seen after: the parent of user:[3] is unknown)",
                          "unknown user:[3] parent [2]->?"));
}

TEST(DiffSnapshots, FollowsHoldersAndFieldsThatItWasNotToldOf) {
  const std::string sources = "statistics { sources { source: fds } }";
  EXPECT_THAT(
      Changes(sources + "namespaces { type: net inode: 2 fds { pid: 5 fd: 3 } fds { pid: 6 } }",
              sources + "namespaces { type: net inode: 2 fds { pid: 6 } fds { pid: 7 fd: 1 } }"),
      ElementsAre("changed net:[2] fds [pid=5 fd=3]->[pid=7 fd=1]"));
}

TEST(DiffSnapshots, ComparesWhatBothWereTakenWith) {
  const auto before = Parse(
      "host { boot_id: 'b' } options { threads: all types: net types: uts "
      "capabilities: true } namespaces { type: net inode: 2 } namespaces { "
      "type: uts inode: 3 } processes { pid: 7 capabilities { effective: 1 } "
      "threads { tid: 8 } }");
  const auto after = Parse("host { boot_id: 'b' } options { types: net } processes { pid: 7 }");
  const auto diff =
      DiffSnapshots(before, after, {.types = {NamespaceType::kNet, NamespaceType::kUts}});
  ASSERT_THAT(diff, testing::IsOk());
  EXPECT_THAT(Sketch(*diff), ElementsAre("removed net:[2]"));
  std::vector<std::string> gaps;
  for (const Gap& gap : diff->gaps()) gaps.push_back(gap.operation());
  EXPECT_THAT(gaps,
              ElementsAre("compare uts namespaces", "compare threads", "compare capabilities"));
}

TEST(DiffSnapshots, LeavesOutWhatFollowsAndWhoLooked) {
  const std::string before =
      "scanner { pid: 8 } processes { pid: 2 kernel_thread: true }"
      "processes { pid: 8 name: 'nsctl' }"
      "namespaces { type: net inode: 2 process_count: 5 }";
  const std::string after =
      "scanner { pid: 9 } processes { pid: 3 kernel_thread: true }"
      "processes { pid: 9 name: 'nsctl' }"
      "namespaces { type: net inode: 2 process_count: 6 }";
  EXPECT_THAT(Changes(before, after), IsEmpty());
  EXPECT_THAT(Changes(before, after, {.all = true}),
              ElementsAre("changed net:[2] process_count [5]->[6]", "removed pid:2", "added pid:3",
                          "removed pid:8", "added pid:9"));
}

// nsctl waits for itself; a shell that called it is somebody else.
TEST(DiffSnapshots, LeavesOutWhoWaitsForTheScanner) {
  const std::string before =
      "scanner { pid: 9 } processes { pid: 7 command_line: 'sh' }"
      "processes { pid: 8 parent_pid: 7 command_line: 'nsctl' command_line: 'snapshot' }"
      "processes { pid: 9 parent_pid: 8 command_line: 'nsctl' command_line: 'snapshot' }";
  const std::string after = "scanner { pid: 3 } processes { pid: 3 parent_pid: 1 }";

  EXPECT_THAT(Changes(before, after), ElementsAre("removed pid:7"));
}

TEST(DiffSnapshots, ComparesCgroupsNotTheirIndices) {
  const std::string process = "processes { pid: 7 cgroups: ";
  EXPECT_THAT(Changes(process + "0 } cgroups { unified: '/a' frozen: false }",
                      process + "1 } cgroups { unified: '/' } cgroups { unified: '/a' frozen: "
                                "false }"),
              IsEmpty());
  EXPECT_THAT(Changes(process + "0 } cgroups { unified: '/a' frozen: false }",
                      process + "0 } cgroups { unified: '/b' frozen: true }"),
              ElementsAre("changed pid:7 cgroup [/a]->[/b] frozen [false]->[true]"));
}

// What a process holds cannot be asked of whoever may not look at it.
TEST(DiffSnapshots, DoesNotTakeHiddenHoldersForRemoved) {
  const std::string sources =
      "statistics { sources { source: fds } sources { source: bind_mounts } }"
      "processes { pid: 5 uid: 0 } processes { pid: 6 uid: 0 } namespaces { type: mnt inode: 9 }";
  const std::string seen =
      sources +
      "namespaces { type: net inode: 2 fds { pid: 5 fd: 3 } fds { pid: 6 fd: 1 }"
      "             bind_mounts { mount_namespace: 9 path: '/x' } }";
  const std::string hidden = sources +
                             "namespaces { type: net inode: 2 }"
                             "gaps { subject: 'pid:5' operation: 'getdents64 fd' error: 'EACCES' }"
                             "gaps { subject: 'mnt:[9]' operation: 'listmount' error: 'EACCES' }";
  EXPECT_THAT(Changes(seen, hidden),
              ElementsAre("changed net:[2] fds [pid=6 fd=1]->[] fds [pid=5 fd=3]->? "
                          "bind_mounts [mount_namespace=9 path=/x]->?"));
  EXPECT_THAT(Changes(hidden, seen),
              ElementsAre("changed net:[2] fds []->[pid=6 fd=1] fds ?->[pid=5 fd=3] "
                          "bind_mounts ?->[mount_namespace=9 path=/x]"));
}

// A process that ended, or a mount namespace, takes along what it held; that is one change.
TEST(DiffSnapshots, TellsOnceWhatTakesHoldersAlong) {
  const std::string sources =
      "statistics { sources { source: fds } sources { source: bind_mounts } }";
  const std::string before = sources +
                             "namespaces { type: mnt inode: 9 }"
                             "namespaces { type: net inode: 2 fds { pid: 5 fd: 3 }"
                             "             bind_mounts { mount_namespace: 9 path: '/x' } }"
                             "processes { pid: 5 uid: 0 }";
  const std::string after = sources + "namespaces { type: net inode: 2 }";

  EXPECT_THAT(Changes(before, after), ElementsAre("removed mnt:[9]", "removed pid:5"));
  // A new process tells nothing of what it holds.
  EXPECT_THAT(Changes(after, before),
              ElementsAre("added mnt:[9]", "changed net:[2] fds []->[pid=5 fd=3]", "added pid:5"));
  EXPECT_THAT(Changes(before, after, {.types = {NamespaceType::kNet}}),
              ElementsAre("changed net:[2] fds [pid=5 fd=3]->[] "
                          "bind_mounts [mount_namespace=9 path=/x]->[]"));
  EXPECT_THAT(Changes(before, after, {.all = true}),
              ElementsAre("removed mnt:[9]",
                          "changed net:[2] fds [pid=5 fd=3]->[] "
                          "bind_mounts [mount_namespace=9 path=/x]->[]",
                          "removed pid:5"));
}

// Numbers of different PID namespaces do not compare; inodes of pidfds do.
TEST(DiffSnapshots, KnowsProcessesFromOtherPidNamespaces) {
  const std::string outside = "scanner { namespaces { pid: 3 } }";
  const std::string inside = "scanner { namespaces { pid: 4 } }";
  const SnapshotDiff numbers =
      Diff(outside + "processes { pid: 7 }", inside + "processes { pid: 7 }");
  EXPECT_THAT(numbers.changes(), IsEmpty());
  EXPECT_EQ(numbers.gaps_size(), 1);

  EXPECT_THAT(Changes(outside + "processes { pid: 7 name: 'a' pidfd_inode: 40 }"
                                "processes { pid: 8 name: 'c' pidfd_inode: 41 }",
                      inside + "processes { pid: 1 name: 'b' pidfd_inode: 40 }"),
              ElementsAre("changed pid:1 name [a]->[b]",
                          "unknown pid:8 (not seen after: processes are seen from another PID "
                          "namespace)"));
}

TEST(DiffSnapshots, IgnoresFieldsByName) {
  const std::string before = "processes { pid: 7 name: 'a' namespaces { net: 1 uts: 2 } }";
  const std::string after =
      "processes { pid: 7 name: 'b' namespaces { net: 3 uts: 4 } }"
      "namespaces { type: net inode: 9 }";
  EXPECT_THAT(Changes(before, after, {.ignored = {"name", "processes.namespaces"}}),
              ElementsAre("added net:[9]"));
  EXPECT_THAT(Changes(before, after, {.ignored = {"namespaces.net", "processes.name"}}),
              ElementsAre("added net:[9]", "changed pid:7 namespaces.uts [2]->[4]"));
  EXPECT_THAT(Changes(before, after, {.ignored = {"namespaces"}}),
              ElementsAre("changed pid:7 name [a]->[b] namespaces.uts [2]->[4] namespaces.net "
                          "[1]->[3]"));
  EXPECT_THAT(Changes(before, after, {.types = {NamespaceType::kUts}}),
              ElementsAre("changed pid:7 namespaces.uts [2]->[4]"));
}

TEST(ComparedFields, NamesSectionsAndTheirFields) {
  const std::vector<std::string> words = ComparedFields();
  for (const char* const word : {"namespaces", "processes", "namespaces.uid_map", "processes.name",
                                 "processes.namespaces.net", "processes.cgroup"}) {
    EXPECT_THAT(words, Contains(word));
  }
  EXPECT_THAT(words, Not(Contains("processes.pid")));
  EXPECT_THAT(words, Not(Contains("gaps")));
}

}  // namespace
}  // namespace nsctl::nsdisc
