// tools/record_procfs on real namespaces: what is unpacked from a recording answers as the procfs
// did.

#include <fcntl.h>
#include <stdio.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/lineage.h"
#include "procfsroot/procfs.h"
#include "testing/fake_lineage.h"
#include "testing/namespace_fixture.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

using nsdisc::NamespaceFacts;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

// What the command writes to stdout; "" where it fails.
std::string OutputOf(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "re");
  std::string output;
  char piece[65536];
  while (const size_t size = fread(piece, 1, sizeof(piece), pipe)) output.append(piece, size);
  return pclose(pipe) == 0 ? output : "";
}

std::string Record(const std::vector<RealProcess>& processes) {
  std::string command = "tools/record_procfs --also=mountinfo";
  for (const RealProcess& process : processes) {
    absl::StrAppend(&command, " --pid=", process.pid.value);
  }
  return OutputOf(command);
}

// Facts on all namespaces of the process and those above them, or the errors of asking.
std::vector<absl::StatusOr<std::vector<NamespaceFacts>>> TraceAll(nsdisc::Lineage& lineage,
                                                                  const Procfs& procfs,
                                                                  base::Pid pid) {
  std::vector<absl::StatusOr<std::vector<NamespaceFacts>>> answers;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    for (const bool for_children : {false, true}) {
      if (for_children && info.for_children_entry == nullptr) continue;
      const nsdisc::NamespaceWay way{.pid = pid.value, .for_children = for_children};
      answers.push_back(
          lineage.Trace(procfs, way, {info.type, 0}, [](auto, auto) { return false; }));
    }
  }
  return answers;
}

class RecordProcfsTest : public ::testing::Test {
 protected:
  void Start(const std::vector<ProcessSpec>& chain) {
    NSCTL_START_NAMESPACES_OR_SKIP(fixture_, chain);
    const std::string tree = Record(fixture_->processes());
    ASSERT_THAT(UnpackRecordedTree(tree, directory_.path()), IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(fake_, FakeLineage::FromRecordedTree(tree));
  }

  TestDirectory directory_;
  std::unique_ptr<NamespaceFixture> fixture_;
  std::unique_ptr<FakeLineage> fake_;
};

TEST_F(RecordProcfsTest, KeepsLinksAndFacts) {
  Start({{.namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS},
         {.namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME,
          .name = "a) \n\xff\\",
          .threads = {CLONE_NEWNET}}});
  if (IsSkipped()) return;
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs live, Procfs::Live());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs recorded, Procfs::At(directory_.path()));

  for (const RealProcess& process : fixture_->processes()) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessDir before, live.OpenProcess(process.pid));
    NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessDir after, recorded.OpenProcess(process.pid));
    EXPECT_EQ(after.ReadNamespaceLinks(), process.namespaces);
    nsdisc::KernelLineage kernel;
    const auto expected = TraceAll(kernel, live, process.pid);
    const auto answers = TraceAll(*fake_, recorded, process.pid);
    ASSERT_EQ(answers.size(), expected.size());
    for (size_t i = 0; i < answers.size(); ++i) {
      ASSERT_THAT(answers[i], IsOk());
      EXPECT_EQ(*answers[i], *expected[i]);
    }
    for (const char* const name :
         {"comm", "cmdline", "cgroup", "uid_map", "timens_offsets", "mountinfo"}) {
      NSCTL_ASSERT_OK_AND_ASSIGN(const std::string content, before.Read(name, 1 << 20));
      EXPECT_THAT(after.Read(name, 1 << 20), IsOkAndHolds(content)) << name;
    }
  }
}

TEST_F(RecordProcfsTest, KeepsThreads) {
  Start({{.threads = {CLONE_NEWNET, CLONE_NEWUTS}}});
  if (IsSkipped()) return;
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs recorded, Procfs::At(directory_.path()));
  const RealProcess& process = fixture_->last();

  NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessDir dir, recorded.OpenProcess(process.pid));

  EXPECT_THAT(dir.ListThreads(),
              IsOkAndHolds(::testing::ElementsAre(base::Tid{process.pid.value},
                                                  process.threads[0].tid, process.threads[1].tid)));
  for (const RealThread& thread : process.threads) {
    EXPECT_EQ(dir.ReadThreadNamespaceLinks(thread.tid), thread.namespaces);
  }
}

TEST_F(RecordProcfsTest, NamesTheHostAndItself) {
  Start({{}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs live, Procfs::Live());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs recorded, Procfs::At(directory_.path()));

  for (const char* const name : {"sys/kernel/osrelease", "sys/kernel/random/boot_id"}) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string content, live.ReadFile(name, 4096));
    EXPECT_THAT(recorded.ReadFile(name, 4096), IsOkAndHolds(content));
  }
  EXPECT_THAT(recorded.OpenSelf(), IsOk());
}

TEST(RecordProcfs, FailsWithoutAProcess) {
  EXPECT_EQ(OutputOf("tools/record_procfs --pid=0 2>/dev/null"), "");
}

}  // namespace
}  // namespace nsctl::testing
