// Discovery where numbers, depths and paths are other than usual, on the running kernel.

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/discover_fixture.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"
#include "testing/namespace_fixture.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::TestChild;
using testing::IsOk;
using ::testing::NotNull;

class HardPlacesKernelTest : public DiscoverFixture {};

// The kernel nests 32 deep below the initial ones.
constexpr size_t kDepth = 32;

TEST_F(HardPlacesKernelTest, UserAndPidNamespacesThatAreAsDeepAsTheKernelLets) {
  const std::vector<testing::ProcessSpec> chain(kDepth,
                                                {.namespaces = CLONE_NEWUSER | CLONE_NEWPID});
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, chain);

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const SnapshotIndex index(*snapshot);
  const PidMap pids(index);
  for (const NamespaceType type : {NamespaceType::kUser, NamespaceType::kPid}) {
    SCOPED_TRACE(base::InfoOf(type).name);
    std::optional<uint32_t> parent;
    for (const testing::RealProcess& real : fixture->processes()) {
      const uint32_t inode = real.namespaces.in[static_cast<size_t>(type)].inode;
      const Namespace* const ns = index.FindNamespace(type, inode);
      ASSERT_THAT(ns, NotNull());
      ASSERT_TRUE(ns->has_parent());
      if (parent.has_value()) {
        EXPECT_EQ(ns->parent(), *parent);
      }
      EXPECT_THAT(ns->leaders(), ::testing::ElementsAre(real.pid.value));
      EXPECT_EQ(ns->children_size(), real.pid.value == fixture->last().pid.value ? 0 : 1);
      parent = inode;
    }
  }
  // The last one has a number in each of them, and each leads back to it.
  const Process* const last = index.FindProcess(fixture->last().pid.value);
  ASSERT_THAT(last, NotNull());
  const std::vector<PidMap::Number> numbers = pids.NumbersOf(*last);
  ASSERT_EQ(numbers.size(), kDepth + 1);
  for (size_t i = 1; i < numbers.size(); ++i) {
    const auto in =
        fixture->processes()[i - 1].namespaces.in[static_cast<size_t>(NamespaceType::kPid)];
    EXPECT_EQ(numbers[i].pid_namespace, in.inode);
    EXPECT_EQ(pids.Find(numbers[i].pid, in.inode), last);
  }
  EXPECT_EQ(numbers.back().pid, 1);
}

// What tells the two apart who get the same number in turn.
constexpr uid_t kEvenUid = 64001;
constexpr uid_t kOddUid = 64002;

[[noreturn]] void LiveShortly(bool even) {
  syscall(SYS_unshare, even ? CLONE_NEWUTS : CLONE_NEWIPC);
  prctl(PR_SET_NAME, even ? "even" : "odd");
  const uid_t uid = even ? kEvenUid : kOddUid;
  syscall(SYS_setresuid, uid, uid, uid);
  const struct timespec rest = {0, 1'000'000};
  nanosleep(&rest, nullptr);
  _exit(0);
}

// Makes one process after the other, all with the number `pid`.
[[noreturn]] void Juggle(pid_t pid, int count) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < count; ++i) {
    struct clone_args arguments = {};
    arguments.exit_signal = SIGCHLD;
    arguments.set_tid = reinterpret_cast<uint64_t>(&pid);
    arguments.set_tid_size = 1;
    const long child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child == 0) LiveShortly(i % 2 == 0);
    if (child > 0) waitpid(static_cast<pid_t>(child), nullptr, 0);
  }
  _exit(0);
}

// A number that nobody has, far above those that are dealt.
pid_t FreePid() {
  const absl::StatusOr<std::string> text =
      base::ReadFileAt(base::FdRef(AT_FDCWD), "/proc/sys/kernel/pid_max", 64);
  EXPECT_THAT(text, IsOk());
  pid_t pid = static_cast<pid_t>(std::stol(*text)) - 100;
  while (kill(pid, 0) == 0 || errno != ESRCH) --pid;
  return pid;
}

// How often each of the two is to be seen.
constexpr int kSightings = 3;

TEST_F(HardPlacesKernelTest, NoRecordMixesTwoProcessesThatHadOneNumber) {
  const pid_t pid = FreePid();
  const absl::StatusOr<TestChild> juggler = TestChild::Start(0, [&] {
    const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) Juggle(pid, 100000);
    return child < 0 ? errno : 0;
  });
  ASSERT_THAT(juggler, IsOk());
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  int even = 0;
  int odd = 0;
  int round = 0;

  while ((even < kSightings || odd < kSightings) && absl::Now() < deadline) {
    DiscoverOptions options;
    options.capabilities = CapabilitySets::kEffective;
    // What else there is to look at only makes the looks fewer.
    options.bind_mounts = options.kernel_lists = options.sockets = false;
    if (++round % 2 == 0) options.detail = ProcessDetail::kRepresentatives;
    const std::unique_ptr<Snapshot> snapshot = Scan(options);
    const SnapshotIndex index(*snapshot);
    const Process* const process = index.FindProcess(pid);
    const Process* const self = index.FindProcess(getpid());
    ASSERT_THAT(self, NotNull());
    if (process == nullptr || !process->namespaces().has_uts()) continue;
    // They become what they are step by step, in this order.
    const bool is_even = process->namespaces().uts() != self->namespaces().uts();
    const bool is_odd = process->namespaces().ipc() != self->namespaces().ipc();
    const bool says_even = process->name() == "even" || process->uid() == kEvenUid;
    const bool says_odd = process->name() == "odd" || process->uid() == kOddUid;
    EXPECT_FALSE((is_even || says_even) && (is_odd || says_odd)) << process->DebugString();
    even += is_even ? 1 : 0;
    odd += is_odd ? 1 : 0;
  }

  if (round > 3 && even + odd == 0) GTEST_SKIP() << "needs clone3(2) with set_tid";
  EXPECT_GE(even, kSightings);
  EXPECT_GE(odd, kSightings);
}

// A hierarchy in which processes can be frozen.
struct Hierarchy {
  const char* name;
  const char* root;
  // It is there.
  const char* probe;
  const char* freeze_file;
  const char* freeze;
  const char* thaw;
};

constexpr Hierarchy kHierarchies[] = {
    {"v1", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/freezer/cgroup.clone_children",
     "freezer.state", "FROZEN", "THAWED"},
    {"hybrid", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/cgroup.controllers",
     "cgroup.freeze", "1", "0"},
    {"v2", "/sys/fs/cgroup", "/sys/fs/cgroup/cgroup.controllers", "cgroup.freeze", "1", "0"},
};

absl::Status Write(const std::string& path, const std::string& text) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd file,
                         base::OpenAt(base::FdRef(AT_FDCWD), path, O_WRONLY));
  return base::WriteAll(file, text);
}

class CgroupKernelTest : public HardPlacesKernelTest,
                         public ::testing::WithParamInterface<Hierarchy> {
 protected:
  // The path of the process in the hierarchy, and whether it is frozen there: "/a frozen".
  static std::string Show(const Snapshot& snapshot, pid_t pid) {
    const Process* const process = SnapshotIndex(snapshot).FindProcess(pid);
    if (process == nullptr || !process->has_cgroups()) return "unknown";
    const Cgroups& cgroups = snapshot.cgroups(static_cast<int>(process->cgroups()));
    std::string path = cgroups.unified();
    if (GetParam().name == std::string("v1")) {
      for (const Cgroups::V1& v1 : cgroups.v1()) {
        if (v1.controllers() == "freezer") path = v1.path();
      }
    }
    return absl::StrCat(path, cgroups.frozen() ? " frozen" : "");
  }
};

// Names have colons; some processes are frozen; the scanner is outside, and then inside of a cgroup
// namespace, which makes no difference.
TEST_P(CgroupKernelTest, PathsAndFreezersAreRightFromInsideACgroupNamespace) {
  const Hierarchy& hierarchy = GetParam();
  if (access(hierarchy.probe, F_OK) != 0) GTEST_SKIP() << "no such hierarchy";
  const std::string name = absl::StrCat("/nsctl:", getpid());
  const std::string outer = absl::StrCat(hierarchy.root, name);
  const std::string inner = absl::StrCat(outer, "/in:ner");
  if (mkdir(outer.c_str(), 0755) != 0) GTEST_SKIP() << "no cgroup can be made: " << errno;
  ASSERT_EQ(mkdir(inner.c_str(), 0755), 0);
  absl::StatusOr<TestChild> member = TestChild::Start(0);
  ASSERT_THAT(member, IsOk());
  ASSERT_THAT(Write(outer + "/cgroup.procs", absl::StrCat(member->pid().value)), IsOk());
  absl::StatusOr<TestChild> frozen = TestChild::Start(0);
  ASSERT_THAT(frozen, IsOk());
  ASSERT_THAT(Write(inner + "/cgroup.procs", absl::StrCat(frozen->pid().value)), IsOk());
  const std::string freezer = absl::StrCat(inner, "/", hierarchy.freeze_file);
  ASSERT_THAT(Write(freezer, hierarchy.freeze), IsOk());
  const auto cleanup = absl::MakeCleanup([&] {
    EXPECT_THAT(Write(freezer, hierarchy.thaw), IsOk());
    frozen->Stop();
    member->Stop();
    // A process that has ended leaves its cgroup a moment later.
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    for (const std::string& cgroup : {inner, outer}) {
      while (rmdir(cgroup.c_str()) != 0 && absl::Now() < deadline) {
        absl::SleepFor(absl::Milliseconds(10));
      }
    }
  });
  const auto is_frozen = [&] {
    return Show(*Scan(), frozen->pid().value) == name + "/in:ner frozen";
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!is_frozen() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));

  const std::unique_ptr<Snapshot> outside = Scan();
  std::unique_ptr<Snapshot> inside;
  std::thread([&] {
    // The whole scan is this thread's.
    if (!Write(outer + "/cgroup.threads", "0").ok() && !Write(outer + "/tasks", "0").ok()) {
      // A hierarchy that has no threads of its own: the process goes as a whole.
      if (!Write(outer + "/cgroup.procs", "0").ok()) return;
    }
    if (syscall(SYS_unshare, CLONE_NEWCGROUP) != 0) return;
    DiscoverOptions options;
    options.worker_threads = 1;
    inside = Scan(options);
    Write(absl::StrCat(hierarchy.root, "/cgroup.procs"), "0").IgnoreError();
    Write(absl::StrCat(hierarchy.root, "/tasks"), "0").IgnoreError();
  }).join();

  EXPECT_EQ(Show(*outside, member->pid().value), name);
  EXPECT_EQ(Show(*outside, frozen->pid().value), name + "/in:ner frozen");
  ASSERT_THAT(inside, NotNull());
  EXPECT_EQ(Show(*inside, member->pid().value), name);
  EXPECT_EQ(Show(*inside, frozen->pid().value), name + "/in:ner frozen");
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, CgroupKernelTest, ::testing::ValuesIn(kHierarchies),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace nsctl::nsdisc
