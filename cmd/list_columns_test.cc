#include "cmd/list_columns.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::StatusIs;

TEST(SelectListColumns, TakesTheDefaultColumns) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto columns, SelectListColumns({}));

  std::vector<std::string> names;
  for (const ListColumn* column : columns) names.push_back(column->name);
  EXPECT_THAT(names, ElementsAre("NS", "TYPE", "NPROCS", "PID", "USER", "ONS", "PNS", "COMMAND"));
}

TEST(SelectListColumns, RefusesUnknownNames) {
  EXPECT_THAT(SelectListColumns({"NS,TIPE"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       R"(unknown column "TIPE"; did you mean "TYPE"?)"));
}

// The cell of `row` in the column `name`, as a pipe gets it.
std::string Cell(const std::string& name, const std::string& row,
                 const Presentation& presentation = {}) {
  NamespaceList list;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(row, list.add_rows())) << row;
  list.mutable_host()->set_ticks_per_second(100);
  list.set_mount_namespace(7);
  StringWriter out;
  MakeListTable(list, *SelectListColumns({name}),
                {.shorten = presentation.shorten, .headings = false})
      .Print({.headings = false}, &out);
  return out.text().substr(0, out.text().size() - 1);
}

TEST(ListColumns, TellUnknownFromNone) {
  struct Case {
    const char* name;
    const char* column;
    const char* row;
    const char* cell;
  };
  const Case cases[] = {
      {"owner", "ONS", "namespace { type: net owner: 5 }", "5"},
      {"owner not known", "ONS", "namespace { type: net }", "?"},
      {"owner of a user namespace", "ONS", "namespace { type: user parent: 6 }", "6"},
      {"owner of the initial one", "ONS", "namespace { type: user initial: true }", "-"},
      {"owner of a user namespace not known", "ONS", "namespace { type: user }", "?"},
      {"parent", "PNS", "namespace { type: pid parent: 7 }", "7"},
      {"parent not known", "PNS", "namespace { type: pid }", "?"},
      {"no parent", "PNS", "namespace { type: pid initial: true }", "-"},
      {"types without parents", "PNS", "namespace { type: uts }", "-"},
      {"creator", "CREATOR", "namespace { type: user owner_uid: 0 }", "0"},
      {"creator by name", "CREATOR", "namespace { owner_uid: 0 owner_user: 'root' }", "root"},
      {"device", "DEVICE", "namespace { device_major: 0 device_minor: 4 }", "0:4"},
      {"map", "UIDMAP", "namespace { uid_map { inside: 0 outside: 9 count: 2 } }", "0:9:2"},
      {"offset", "OFFSETS",
       "namespace { clock_offsets { clock: 'boottime' seconds: -3 nanoseconds: 5 } }",
       "boottime:-3.000000005"},
      // What a container calls /run/netns/a of its own is not this host's.
      {"mounts", "NSFS",
       "namespace { bind_mounts { mount_namespace: 6 path: '/run/netns/a' }"
       "            bind_mounts { mount_namespace: 6 path: '/b' }"
       "            bind_mounts { mount_namespace: 7 path: '/b' }"
       "            bind_mounts { mount_namespace: 8 path: '/run/netns/a' } }",
       "/b,mnt:[6]:/run/netns/a"},
      {"owns nothing", "OWNED", "namespace { type: user }", "0"},
      {"cannot own", "OWNED", "namespace { type: net }", "-"},
      {"chain", "PATH", "namespace { reference: '/proc/1/ns/mnt' reference: '/run/x' }",
       "/proc/1/ns/mnt:/run/x"},
      {"started", "STARTED", "representative { start_time: 1234 }", "12.34"},
      {"no uid", "UID", "representative { pid: 1 }", "-"},
      {"many leaders", "LEADERS", "namespace { leaders: [ 1, 2, 3, 4, 5 ] }", "1,2,3,4,5"},
  };
  for (const Case& c : cases) EXPECT_EQ(Cell(c.column, c.row), c.cell) << c.name;
}

TEST(ListColumns, ShortenLongLists) {
  EXPECT_EQ(Cell("LEADERS", "namespace { leaders: [ 1, 2, 3, 4, 5 ] }", {.shorten = true}),
            "1,2,3,+2");
  EXPECT_EQ(Cell("LEADERS", "namespace { leaders: [ 1, 2, 3 ] }", {.shorten = true}), "1,2,3");
}

TEST(ListColumns, SayWhyANamespaceIsThere) {
  const std::string process = "representative { pid: 9 name: 'sh' command_line: 'sh' }";
  EXPECT_EQ(Cell("COMMAND", "namespace { ealdorman: 9 }" + process), "sh");
  EXPECT_EQ(Cell("COMMAND", "namespace { loose_threads: 10 }" + process), "(thread 10 of) sh");
  EXPECT_EQ(Cell("COMMAND", "namespace { for_children_of: 9 }" + process), "(for children of) sh");
  EXPECT_EQ(Cell("COMMAND", "namespace {}"), "(no process)");
  EXPECT_EQ(Cell("COMMAND", "namespace { children: [ 3, 4 ] } owned_count: 5"),
            "(no process: parent of 2, owns 5)");
}

}  // namespace
}  // namespace nsctl::cmd
