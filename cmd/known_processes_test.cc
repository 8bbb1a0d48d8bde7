#include "cmd/known_processes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "engines/process_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "procfsroot/procfs.h"
#include "testing/fake_lineage.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

std::string TreeOf(int pid, absl::string_view name, char state, int flags, absl::string_view more) {
  return absl::StrCat("f ", pid, "/stat\n|", pid, " (", name, ") ", std::string(1, state),
                      " 1 0 0 0 0 ", flags, " 0 0 0 0 0 0 0 0 20 0 1 0 5", pid, " 0 0\n", more);
}

// "PID<PARENT@START NAME [kernel] [zombie] cgroup=... arguments=... [sockets]" of each.
std::vector<std::string> Describe(const std::vector<engines::KnownProcess>& processes) {
  std::vector<std::string> text;
  for (const engines::KnownProcess& known : processes) {
    const engines::ScannedProcess& process = known.process;
    std::string& one = text.emplace_back();
    one = absl::StrCat(process.pid.value, "<", process.parent.value, "@", process.start_time, " ",
                       process.name);
    if (process.kernel_thread) one += " kernel";
    if (process.zombie) one += " zombie";
    if (known.cgroup.has_value()) absl::StrAppend(&one, " cgroup=", *known.cgroup);
    if (known.arguments.has_value()) {
      absl::StrAppend(&one, " arguments=", absl::StrJoin(*known.arguments, "|"));
    }
    if (known.has_sockets) one += " sockets";
  }
  return text;
}

class KnownProcessesTest : public ::testing::Test {
 protected:
  std::vector<std::string> Scan(nsdisc::DiscoverOptions options) {
    const std::string tree = absl::StrCat(
        TreeOf(2, "kthreadd", 'S', 0x200000, ""),
        TreeOf(10, "a b", 'S', 0,
               "f 10/cmdline\n:run\\x00-x\\xff\\x00\nf 10/cgroup\n|0::/a\nd 10/fd\n"
               "l 10/fd/0 socket:[8]\n"),
        TreeOf(11, "sh", 'S', 0,
               "f 11/cmdline\n:sh\\x00\nf 11/cgroup\n|0::/b\nd 11/fd\nl 11/fd/0 /dev/null\n"),
        TreeOf(12, "denied", 'S', 0, "f 12/fd\n|no directory\n"), TreeOf(13, "ended", 'Z', 0, ""),
        TreeOf(14, "conmon", 'S', 0, "f 14/cmdline\n:conmon\\x00-c\\x00\nd 14/fd\n"));
    const testing::TestDirectory directory;
    EXPECT_THAT(testing::UnpackRecordedTree(tree, directory.path()), IsOk());
    auto lineage = testing::FakeLineage::FromRecordedTree(tree);
    EXPECT_THAT(lineage, IsOk());
    const auto procfs = procfsroot::Procfs::At(directory.path());
    EXPECT_THAT(procfs, IsOk());
    std::vector<std::string> text;
    int calls = 0;
    options.on_processes = [&](const nsdisc::ProcessReadings& read) {
      ++calls;
      text = Describe(KnownProcesses(read));
    };
    EXPECT_THAT(nsdisc::Discover(*procfs, **lineage, options).status(), IsOk());
    EXPECT_EQ(calls, 1);
    return text;
  }
};

TEST_F(KnownProcessesTest, HasWhatWasRead) {
  EXPECT_THAT(Scan({}),
              ElementsAre("2<1@52 kthreadd kernel",
                          "10<1@510 a b cgroup=0::/a\n arguments=run|-x\xff sockets",
                          "11<1@511 sh cgroup=0::/b\n", "12<1@512 denied sockets",
                          "13<1@513 ended zombie", "14<1@514 conmon arguments=conmon|-c"));
}

TEST_F(KnownProcessesTest, SaysWhatWasNotRead) {
  nsdisc::DiscoverOptions options;
  options.detail = nsdisc::ProcessDetail::kRepresentatives;
  options.fds = false;

  EXPECT_THAT(Scan(options),
              ElementsAre("2<1@52 kthreadd kernel sockets", "10<1@510 a b sockets",
                          "11<1@511 sh sockets", "12<1@512 denied sockets",
                          "13<1@513 ended zombie sockets", "14<1@514 conmon sockets"));
}

}  // namespace
}  // namespace nsctl::cmd
