#include "cmd/ps_columns.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::StatusIs;

std::string Print(const std::string& rows, const std::vector<std::string>& selection,
                  bool headings = false, bool threads = false, bool shorten = false) {
  ProcessTree tree;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(rows, &tree)) << rows;
  tree.mutable_host()->set_ticks_per_second(100);
  const auto columns = SelectPsColumns(selection, threads);
  EXPECT_TRUE(columns.ok()) << columns.status();
  if (!columns.ok()) return "";
  StringWriter out;
  MakePsTable(tree, *columns, {.shorten = shorten}).Print({.headings = headings}, &out);
  return out.text();
}

TEST(SelectPsColumns, ChoosesAndAdds) {
  EXPECT_EQ(Print("", {}, true), "PID PIDS PPID USER STATE PIDNS COMMAND\n");
  EXPECT_EQ(Print("", {}, true, true), "PID TID PIDS PPID USER STATE PIDNS COMMAND\n");
  EXPECT_EQ(Print("", {"+NETNS,cgroup"}, true),
            "PID PIDS PPID USER STATE PIDNS NETNS CGROUP COMMAND\n");
  EXPECT_EQ(Print("", {"name,PID,Name"}, true), "NAME PID\n");
  EXPECT_EQ(SelectPsColumns({"all"}, false)->size(), PsColumnChoices().size());
}

TEST(SelectPsColumns, RefusesUnknownNames) {
  EXPECT_THAT(SelectPsColumns({"PIDD"}, false),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       R"(unknown column "PIDD"; did you mean "PID"?)"));
}

TEST(MakePsTable, ListsWhatWasAskedForByPid) {
  EXPECT_EQ(Print(R"pb(
                    rows { pid_namespace { inode: 10 } }
                    rows {
                      process { pid: 1 }
                      relative: true
                    }
                    rows { process { pid: 30 } }
                    rows {
                      thread { tid: 33 }
                      thread_of: 30
                    }
                    rows {
                      thread { tid: 31 }
                      thread_of: 30
                    }
                    rows { process { pid: 5 } }
                  )pb",
                  {"PID,TID"}),
            " 5  -\n"
            "30  -\n"
            "30 31\n"
            "30 33\n");
}

TEST(PsColumns, TellUnknownFromNone) {
  struct Case {
    const char* name;
    const char* column;
    const char* row;
    const char* cell;
  };
  const Case cases[] = {
      {"numbers", "PIDS", "process {} pids { pid: 6427 } pids { pid: 7 }", "6427/7"},
      {"link", "NETNS", "process { namespaces { net: 5 } }", "5"},
      {"refused link", "NETNS", "process { namespaces_error: 'EACCES' }", "?"},
      {"left by a zombie", "NETNS", "process { state: 'Z' }", "-"},
      {"known by numbers", "PIDNS",
       "process { namespaces_error: 'EACCES' } pids { pid: 1 pid_namespace: 10 }", "10"},
      {"unknown", "PIDNS", "process { namespaces_error: 'EACCES' } pids { pid: 1 }", "?"},
      {"of a thread", "NETNS", "thread { namespaces { net: 6 } }", "6"},
      {"started", "STARTED", "process { start_time: 1234 }", "12.34"},
      {"no uid", "UID", "process {}", "-"},
      {"root", "UID", "process { uid: 0 }", "0"},
      {"user", "USER", "process { uid: 5 user: 'ann' }", "ann"},
      {"state of a thread", "STATE", "thread { tid: 2 }", "-"},
      {"name", "NAME", "thread { name: 'worker' }", "worker"},
      {"command", "COMMAND", "process { name: 'k' kernel_thread: true }", "[k]"},
      {"hostile", "NAME", "process { name: 'a\\033[2J' }", "a\\x1b[2J"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Print(absl::StrCat("rows {", c.row, "}"), {c.column}), absl::StrCat(c.cell, "\n"))
        << c.name;
  }
}

TEST(PsColumns, ShortenContainerIds) {
  const std::string id(64, 'a');
  const std::string row =
      "rows { process {} container: '" + id + "' cgroup: '/docker/" + id + "' }";
  EXPECT_EQ(Print(row, {"CONTAINER"}), id + "\n");
  EXPECT_EQ(Print(row, {"CONTAINER,CGROUP"}, false, false, true),
            "aaaaaaaaaaaa+ /docker/aaaaaaaaaaaa+\n");
}

}  // namespace
}  // namespace nsctl::cmd
