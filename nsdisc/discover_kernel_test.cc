// Discovery on the running kernel: namespaces that the test made are found, and what is said of
// them agrees with what their members see themselves.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/discover_fixture.h"
#include "nsdisc/snapshot_index.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::TestChild;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::NotNull;

constexpr int kAllButTime = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

uint32_t InodeOf(const std::string& process, const std::string& entry) {
  struct stat stat_of_file = {};
  EXPECT_EQ(stat(absl::StrCat("/proc/", process, "/ns/", entry).c_str(), &stat_of_file), 0)
      << process << " " << entry;
  return static_cast<uint32_t>(stat_of_file.st_ino);
}

uint32_t InodeOf(pid_t pid, const std::string& entry) { return InodeOf(absl::StrCat(pid), entry); }

using DiscoverKernelTest = DiscoverFixture;

// Runs in the child: leaves the time namespace for a new one, which takes unshare(2) and setns(2).
int EnterNewTimeNamespace() {
  if (syscall(SYS_unshare, CLONE_NEWTIME) != 0) return errno;
  const int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = setns(fd, CLONE_NEWTIME) == 0 ? 0 : errno;
  close(fd);
  return error;
}

int WriteFile(const char* path, absl::string_view text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = write(fd, text.data(), text.size()) < 0 ? errno : 0;
  close(fd);
  return error;
}

// Runs in the child: maps uid 7 of its new user namespace to uid 0 of the test's.
int MapUidSeven() {
  const int error = WriteFile("/proc/self/setgroups", "deny");
  return error != 0 ? error : WriteFile("/proc/self/uid_map", "7 0 1");
}

TEST_F(DiscoverKernelTest, FindsAllEightTypesWithOwnersAndLeaders) {
  const absl::StatusOr<TestChild> child = TestChild::Start(kAllButTime, EnterNewTimeNamespace);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN and all eight types of namespaces");
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const SnapshotIndex index(*snapshot);
  const uint32_t user = InodeOf(pid, "user");
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    SCOPED_TRACE(info.name);
    const Namespace* ns = index.FindNamespace(info.type, InodeOf(pid, info.name));
    ASSERT_THAT(ns, NotNull());
    EXPECT_NE(ns->inode(), InodeOf(getpid(), info.name));
    EXPECT_THAT(ns->leaders(), ElementsAre(pid));
    EXPECT_EQ(ns->ealdorman(), pid);
    EXPECT_EQ(ns->process_count(), 1u);
    EXPECT_THAT(ns->reference(), ElementsAre(absl::StrCat("/proc/", pid, "/ns/", info.name)));
    EXPECT_FALSE(ns->initial());
    if (info.type == NamespaceType::kUser) {
      EXPECT_FALSE(ns->has_owner());
      EXPECT_EQ(ns->owner_uid(), geteuid());
      EXPECT_TRUE(ns->has_owner_uid());
    } else {
      EXPECT_EQ(ns->owner(), user);
    }
    if (info.hierarchical) {
      EXPECT_EQ(ns->parent(), InodeOf(getpid(), info.name));
      const Namespace* parent = index.FindNamespace(info.type, ns->parent());
      ASSERT_THAT(parent, NotNull());
      EXPECT_THAT(parent->children(), Contains(ns->inode()));
    }
  }
}

TEST_F(DiscoverKernelTest, TellsTheInnerPidsOfAProcess) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Process* process = SnapshotIndex(*snapshot).FindProcess(child->pid().value);
  ASSERT_THAT(process, NotNull());
  EXPECT_THAT(process->namespaced_pids(), ElementsAre(child->pid().value, 1));
  EXPECT_EQ(process->parent_pid(), getpid());
  EXPECT_EQ(process->uid(), geteuid());
}

// No process is in the owner of the child's net namespace: it is known as an owner only.
TEST_F(DiscoverKernelTest, FindsUserNamespacesThatNoProcessIsIn) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWNET, [] {
    // Who has no uid in a user namespace may not make another one in it.
    int error = MapUidSeven();
    if (error == 0) error = WriteFile("/proc/self/gid_map", "7 0 1");
    if (error != 0) return error;
    return syscall(SYS_unshare, CLONE_NEWUSER) == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "nested user namespaces");
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const SnapshotIndex index(*snapshot);
  const Namespace* net = index.FindNamespace(NamespaceType::kNet, InodeOf(pid, "net"));
  ASSERT_THAT(net, NotNull());
  const Namespace* owner = index.FindNamespace(NamespaceType::kUser, net->owner());
  ASSERT_THAT(owner, NotNull());
  EXPECT_THAT(owner->leaders(), IsEmpty());
  EXPECT_THAT(owner->reference(), IsEmpty());
  EXPECT_EQ(owner->process_count(), 0u);
  EXPECT_EQ(owner->parent(), InodeOf(getpid(), "user"));
  EXPECT_THAT(owner->children(), ElementsAre(InodeOf(pid, "user")));
}

// A thread that leaves its process's namespaces, and stays until it is told to end.
class LooseThread {
 public:
  explicit LooseThread(int flags) : thread_([this, flags] { Run(flags); }) {
    while (tid_.load() == 0) sched_yield();
  }
  ~LooseThread() {
    stop_ = true;
    thread_.join();
  }
  // Negative: the errno of unshare(2).
  pid_t tid() const { return tid_; }

 private:
  void Run(int flags) {
    tid_ = unshare(flags) == 0 ? gettid() : -errno;
    while (!stop_) absl::SleepFor(absl::Milliseconds(1));
  }
  std::atomic<pid_t> tid_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(DiscoverKernelTest, FindsNamespacesThatOnlyAThreadIsIn) {
  const LooseThread thread(CLONE_NEWUTS);
  if (thread.tid() < 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  const std::string path = absl::StrCat(getpid(), "/task/", thread.tid());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* ns =
      SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kUts, InodeOf(path, "uts"));
  ASSERT_THAT(ns, NotNull());
  EXPECT_THAT(ns->loose_threads(), ElementsAre(thread.tid()));
  EXPECT_THAT(ns->leaders(), IsEmpty());
  EXPECT_THAT(ns->reference(), ElementsAre(absl::StrCat("/proc/", path, "/ns/uts")));
  EXPECT_EQ(ns->owner(), InodeOf(getpid(), "user"));
  DiscoverOptions without;
  without.threads = ScanOptions::none;
  // From 6.19 on they have it as well.
  without.kernel_lists = false;
  EXPECT_EQ(SnapshotIndex(*Scan(without)).FindNamespace(NamespaceType::kUts, ns->inode()), nullptr);
}

TEST_F(DiscoverKernelTest, ListsEveryThreadOnlyWhenAsked) {
  const LooseThread quiet(0);

  const std::unique_ptr<Snapshot> loose = Scan();
  DiscoverOptions options;
  options.threads = ScanOptions::all;
  const std::unique_ptr<Snapshot> all = Scan(options);

  EXPECT_THAT(SnapshotIndex(*loose).FindProcess(getpid())->threads(), IsEmpty());
  const Process* process = SnapshotIndex(*all).FindProcess(getpid());
  std::vector<int> tids;
  for (const Thread& thread : process->threads()) tids.push_back(thread.tid());
  EXPECT_THAT(tids, Contains(quiet.tid()));
  EXPECT_EQ(process->threads_size() + 1, static_cast<int>(process->thread_count()));
}

TEST_F(DiscoverKernelTest, FindsNamespacesThatOnlyChildrenWillBeIn) {
  const LooseThread thread(CLONE_NEWTIME);
  if (thread.tid() < 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN and time namespaces";
  const uint32_t inode =
      InodeOf(absl::StrCat(getpid(), "/task/", thread.tid()), "time_for_children");

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* ns = SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kTime, inode);
  ASSERT_THAT(ns, NotNull());
  EXPECT_THAT(ns->for_children_of(), ElementsAre(thread.tid()));
  EXPECT_THAT(ns->leaders(), IsEmpty());
  EXPECT_EQ(ns->owner(), InodeOf(getpid(), "user"));
}

// A thread of the child goes into an own namespace.
void* LeaveAndStay(void*) {
  prctl(PR_SET_NAME, "stays");
  syscall(SYS_unshare, CLONE_NEWUTS);
  while (true) pause();
  return nullptr;
}

TEST_F(DiscoverKernelTest, FindsTheThreadsOfAProcessWhoseMainThreadHasEnded) {
  const absl::StatusOr<TestChild> child = TestChild::Start(0, [] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    // Only the main thread takes the signal, and only it ends by it.
    signal(SIGUSR1, [](int) { syscall(SYS_exit, 0); });
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, LeaveAndStay, nullptr);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return error;
  });
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;
  kill(pid, SIGUSR1);

  std::unique_ptr<Snapshot> snapshot;
  const Process* process = nullptr;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  do {
    snapshot = Scan();
    process = SnapshotIndex(*snapshot).FindProcess(pid);
    ASSERT_THAT(process, NotNull());
  } while ((process->state() != "Z" || process->threads().empty() ||
            process->threads(0).namespaces().uts() == InodeOf(getpid(), "uts")) &&
           absl::Now() < deadline);

  ASSERT_EQ(process->state(), "Z") << "needs CAP_SYS_ADMIN";
  ASSERT_EQ(process->threads_size(), 1);
  const Thread& thread = process->threads(0);
  EXPECT_EQ(thread.name(), "stays");
  const uint32_t uts = InodeOf(absl::StrCat(pid, "/task/", thread.tid()), "uts");
  const Namespace* ns = SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kUts, uts);
  ASSERT_THAT(ns, NotNull());
  EXPECT_THAT(ns->loose_threads(), ElementsAre(thread.tid()));
}

TEST_F(DiscoverKernelTest, ZombieIsInItsUserAndPidNamespacesOnly) {
  const absl::StatusOr<TestChild> child = TestChild::Start(0);
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;
  kill(pid, SIGKILL);

  std::unique_ptr<Snapshot> snapshot;
  const Process* process = nullptr;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  do {
    snapshot = Scan();
    process = SnapshotIndex(*snapshot).FindProcess(pid);
    ASSERT_THAT(process, NotNull());
  } while (process->state() != "Z" && absl::Now() < deadline);

  EXPECT_TRUE(process->namespaces().has_user());
  EXPECT_TRUE(process->namespaces().has_pid());
  EXPECT_FALSE(process->namespaces().has_net());
  EXPECT_EQ(process->namespaces_error(), "");
  EXPECT_THAT(process->command_line(), IsEmpty());
}

TEST_F(DiscoverKernelTest, NameMayBeAnyBytes) {
  const absl::StatusOr<TestChild> child = TestChild::Start(
      0, [] { return prctl(PR_SET_NAME, "a) R 1\n\x1b]0;\xff\\") == 0 ? 0 : errno; });
  ASSERT_THAT(child, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Process* process = SnapshotIndex(*snapshot).FindProcess(child->pid().value);
  ASSERT_THAT(process, NotNull());
  EXPECT_EQ(process->name(), "a) R 1\n\x1b]0;\\xff\\\\");
  EXPECT_EQ(process->parent_pid(), getpid());
}

TEST_F(DiscoverKernelTest, ReadsTheMapsOfAUserNamespace) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER, MapUidSeven);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  if (geteuid() != 0) GTEST_SKIP() << "needs uid 0, which the test maps";
  ASSERT_THAT(child, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* ns = SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kUser,
                                                               InodeOf(child->pid().value, "user"));
  ASSERT_THAT(ns, NotNull());
  ASSERT_EQ(ns->uid_map_size(), 1);
  EXPECT_EQ(ns->uid_map(0).ShortDebugString(), "inside: 7 count: 1");
  EXPECT_THAT(ns->gid_map(), IsEmpty());
  EXPECT_TRUE(ns->has_setgroups_allowed());
  EXPECT_FALSE(ns->setgroups_allowed());
}

TEST_F(DiscoverKernelTest, ThreadCountDoesNotChangeTheResult) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET | CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  DiscoverOptions one;
  one.worker_threads = 1;
  DiscoverOptions many;
  many.worker_threads = 7;

  const std::unique_ptr<Snapshot> a = Scan(one);
  const std::unique_ptr<Snapshot> b = Scan(many);

  // Other processes come and go; what the test made stays.
  const uint32_t inode = InodeOf(child->pid().value, "net");
  EXPECT_EQ(SnapshotIndex(*a).FindNamespace(NamespaceType::kNet, inode)->DebugString(),
            SnapshotIndex(*b).FindNamespace(NamespaceType::kNet, inode)->DebugString());
  EXPECT_EQ(SnapshotIndex(*a).FindProcess(child->pid().value)->parent_pid(),
            SnapshotIndex(*b).FindProcess(child->pid().value)->parent_pid());
}

TEST_F(DiscoverKernelTest, RepresentativesAloneHaveDetail) {
  const absl::StatusOr<TestChild> leader = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(leader.status(), "CAP_SYS_ADMIN");
  const absl::StatusOr<TestChild> other = TestChild::Start(0);
  ASSERT_THAT(other, IsOk());
  DiscoverOptions options;
  options.detail = ProcessDetail::kRepresentatives;

  const std::unique_ptr<Snapshot> snapshot = Scan(options);

  const SnapshotIndex index(*snapshot);
  EXPECT_TRUE(index.FindProcess(leader->pid().value)->has_uid());
  EXPECT_FALSE(index.FindProcess(leader->pid().value)->command_line().empty());
  EXPECT_FALSE(index.FindProcess(other->pid().value)->has_uid());
  EXPECT_THAT(index.FindProcess(other->pid().value)->command_line(), IsEmpty());
}

}  // namespace
}  // namespace nsctl::nsdisc
