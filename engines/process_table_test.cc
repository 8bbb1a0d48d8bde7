#include "engines/process_table.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

constexpr char kPod[] = "/docker/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct Recorded {
  std::string name;
  std::string arguments = "";
  std::string executable = "";
  std::string cgroup = "/";
  char state = 'S';
  // PF_KTHREAD
  bool kernel_thread = false;
};

class ProcessTableTest : public ::testing::Test {
 protected:
  // In place of what has the number.
  void Add(int pid, const Recorded& process) {
    Remove(pid);
    std::string text = absl::StrFormat(
        "f %1$d/stat\n|%1$d (%2$s) %3$c 1 0 0 0 0 %4$d 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n"
        "f %1$d/cgroup\n|0::%5$s\nf %1$d/cmdline\n:%6$s\n",
        pid, process.name, process.state, process.kernel_thread ? 0x200000 : 0, process.cgroup,
        process.arguments);
    if (!process.executable.empty()) {
      absl::StrAppend(&text, "l ", pid, "/exe ", process.executable, "\n");
    }
    ASSERT_THAT(testing::UnpackRecordedTree(text, directory_.path()), IsOk());
  }
  void Remove(int pid) { std::filesystem::remove_all(absl::StrCat(directory_.path(), "/", pid)); }

  // "PID NAME TYPE... HELPER CGROUP" of each, without what it has not.
  static std::vector<std::string> Describe(const ProcessTable::Rows& rows) {
    std::vector<std::string> text;
    for (const auto& [pid, row] : rows) {
      std::vector<std::string> words = {absl::StrCat(pid.value), row.process.name};
      for (const EngineKind* kind : row.kinds) words.emplace_back(TypeName(kind->type));
      if (row.helper.has_value()) words.push_back(absl::StrCat("helps ", row.helper->id));
      if (row.cgroup == nullptr) words.emplace_back("nowhere");
      if (row.cgroup != nullptr && !row.cgroup->path.empty()) words.push_back(row.cgroup->path);
      text.push_back(absl::StrJoin(words, " "));
    }
    return text;
  }
  std::vector<std::string> Look(absl::Duration max_age = absl::ZeroDuration()) {
    const auto rows = table_.Look(max_age);
    EXPECT_THAT(rows, IsOk());
    return rows.ok() ? Describe(**rows) : std::vector<std::string>();
  }
  std::vector<std::string> LookForNew() {
    const auto rows = table_.LookForNew();
    EXPECT_THAT(rows, IsOk());
    return rows.ok() ? Describe(**rows) : std::vector<std::string>();
  }

  testing::TestDirectory directory_;
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::At(directory_.path());
  TableOptions options_;
  ProcessTable table_{procfs_};
};

TEST_F(ProcessTableTest, HasAllThatIsAskedForOnce) {
  Add(1, {.name = "init"});
  Add(2, {.name = "dockerd", .kernel_thread = true});
  Add(3, {.name = "dockerd", .state = 'Z'});
  Add(10, {.name = "dockerd"});
  Add(11, {.name = "renamed", .executable = "/opt/dockerd"});
  Add(12, {.name = "podman", .arguments = R"(podman\x00system\x00service\x00)"});
  Add(13, {.name = "podman", .arguments = R"(podman\x00run\x00)"});
  Add(14, {.name = "conmon", .arguments = R"(conmon\x00-c\x00f90b\x00)"});
  Add(15, {.name = "sleep", .cgroup = kPod});
  Add(16, {.name = "sleep", .cgroup = kPod});

  const auto rows = table_.Look(absl::ZeroDuration());

  ASSERT_THAT(rows, IsOk());
  EXPECT_THAT(Describe(**rows),
              ElementsAre("1 init", "3 dockerd nowhere", "10 dockerd docker", "11 renamed docker",
                          "12 podman podman", "13 podman", "14 conmon helps f90b",
                          absl::StrCat("15 sleep ", kPod), absl::StrCat("16 sleep ", kPod)));
  EXPECT_EQ((*rows)->at({15}).cgroup, (*rows)->at({16}).cgroup);
}

TEST_F(ProcessTableTest, ReadsAgainOnlyWhatMayHaveChanged) {
  Add(10, {.name = "sh"});
  for (int i = 0; i < options_.settled_after; ++i) {
    Add(10, {.name = absl::StrCat("sh", i)});
    EXPECT_THAT(Look(), ElementsAre(absl::StrCat("10 sh", i)));
  }
  const std::string settled = absl::StrCat("10 sh", options_.settled_after - 1);
  Add(10, {.name = "dockerd"});
  Add(11, {.name = "sh"});
  EXPECT_THAT(Look(), ElementsAre(settled, "11 sh"));
  for (int i = options_.settled_after + 1; i < options_.all_again_after; ++i) {
    EXPECT_THAT(Look(), ElementsAre(settled, "11 sh"));
  }
  EXPECT_THAT(Look(), ElementsAre("10 dockerd docker", "11 sh"));
  Remove(10);
  EXPECT_THAT(Look(), ElementsAre("11 sh"));
}

TEST_F(ProcessTableTest, LooksForNewOnesBetweenTwoLooks) {
  Add(10, {.name = "sh"});
  EXPECT_THAT(Look(), ElementsAre("10 sh"));
  Add(10, {.name = "bash"});
  Add(11, {.name = "sh"});

  EXPECT_THAT(LookForNew(), ElementsAre("10 sh", "11 sh"));
  EXPECT_THAT(Look(absl::Hours(1)), ElementsAre("10 sh", "11 sh"));
  EXPECT_THAT(Look(), ElementsAre("10 bash", "11 sh"));
}

TEST_F(ProcessTableTest, DoesNotChangeWhatSomebodyHas) {
  Add(10, {.name = "sh"});
  const auto before = table_.Look(absl::ZeroDuration());
  ASSERT_THAT(before, IsOk());
  Remove(10);
  Add(11, {.name = "sh"});

  EXPECT_THAT(Look(), ElementsAre("11 sh"));

  EXPECT_THAT(Describe(**before), ElementsAre("10 sh"));
}

TEST_F(ProcessTableTest, TakesWhatSomebodyRead) {
  // What is in the file system shows whether it is read.
  Add(10, {.name = "other", .executable = "/opt/dockerd", .cgroup = "/other"});
  Add(11, {.name = "other", .executable = "/opt/dockerd", .cgroup = "/other"});
  Add(12, {.name = "other", .arguments = R"(conmon\x00-c\x00other\x00)", .cgroup = "/other"});
  const auto known = [](int pid, const char* name) {
    return ScannedProcess{.pid = {pid}, .parent = {1}, .start_time = 5, .name = name};
  };
  ScannedProcess thread = known(2, "kthreadd");
  thread.kernel_thread = true;

  table_.Take(
      {{.process = thread},
       {.process = known(10, "engine"), .cgroup = "0::/a\n"},
       {.process = known(11, "no engine"), .cgroup = "0::/a\n", .has_sockets = false},
       {.process = known(12, "conmon")},
       {.process = known(13, "conmon"), .cgroup = "", .arguments = {{"conmon", "-c", "f90b"}}}});

  EXPECT_THAT(Look(absl::Hours(1)),
              ElementsAre("10 engine docker /a", "11 no engine /a", "12 conmon helps other /other",
                          "13 conmon helps f90b nowhere"));
  EXPECT_THAT(Look(),
              ElementsAre("10 other docker /other", "11 other docker /other", "12 other /other"));
}

}  // namespace
}  // namespace nsctl::engines
