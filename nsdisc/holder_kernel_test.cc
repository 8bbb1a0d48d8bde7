// Namespaces that no process is in, on the running kernel: each is kept alive by one kind of holder
// alone, and the discovery finds it and says which.

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/pidfd.h"
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
using base::OwnedFd;
using base::TestChild;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::NotNull;

// What `make` opens in the network namespace `ns`, in a thread that goes there and ends.
OwnedFd OpenInside(const OwnedFd& ns, const std::function<int()>& make) {
  int fd = -1;
  std::thread([&] {
    if (setns(ns.get(), CLONE_NEWNET) == 0) fd = make();
  }).join();
  return OwnedFd(fd);
}

using HolderKernelTest = DiscoverFixture;

std::string Show(const google::protobuf::RepeatedPtrField<FdHolder>& holders) {
  std::string text;
  for (const FdHolder& holder : holders) absl::StrAppend(&text, holder.ShortDebugString(), ";");
  return text;
}

TEST_F(HolderKernelTest, DescriptorHoldsANamespaceOfEachType) {
  struct Case {
    int clone_flag;
    NamespaceType type;
  };
  for (const Case& one :
       {Case{CLONE_NEWNS, NamespaceType::kMnt}, Case{CLONE_NEWCGROUP, NamespaceType::kCgroup},
        Case{CLONE_NEWUTS, NamespaceType::kUts}, Case{CLONE_NEWIPC, NamespaceType::kIpc},
        Case{CLONE_NEWUSER, NamespaceType::kUser}, Case{CLONE_NEWPID, NamespaceType::kPid},
        Case{CLONE_NEWNET, NamespaceType::kNet}}) {
    SCOPED_TRACE(base::InfoOf(one.type).name);
    const absl::StatusOr<OwnedFd> ns = OpenOrphan(one.clone_flag, one.type);
    NSCTL_SKIP_IF_LACKING(ns.status(), "CAP_SYS_ADMIN");
    ASSERT_THAT(ns, IsOk());

    const std::unique_ptr<Snapshot> snapshot = Scan();

    const Namespace* found = Find(*snapshot, one.type, InodeOf(*ns));
    ASSERT_THAT(found, NotNull());
    EXPECT_EQ(Show(found->fds()),
              absl::StrCat("kind: namespace_file pid: ", getpid(), " fd: ", ns->get(), ";"));
    EXPECT_EQ(found->fd_count(), 1u);
    EXPECT_EQ(found->process_count(), 0u);
    EXPECT_FALSE(found->dark());
    EXPECT_THAT(found->reference(),
                ElementsAre(absl::StrCat("/proc/", getpid(), "/fd/", ns->get())));
    struct stat own = {};
    ASSERT_EQ(stat("/proc/self/ns/user", &own), 0);
    EXPECT_EQ(one.type == NamespaceType::kUser ? found->parent() : found->owner(), own.st_ino);
  }
}

TEST_F(HolderKernelTest, DescriptorOfAThreadWithATableOfItsOwn) {
  absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWUTS, NamespaceType::kUts);
  NSCTL_SKIP_IF_LACKING(ns.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(ns, IsOk());
  const uint32_t inode = InodeOf(*ns);
  std::atomic<pid_t> tid = 0;
  std::atomic<bool> stop = false;
  std::thread thread([&] {
    tid = unshare(CLONE_FILES) == 0 ? gettid() : -1;
    while (!stop) absl::SleepFor(absl::Milliseconds(1));
  });
  while (tid == 0) sched_yield();
  const int fd = ns->get();
  // The thread has a copy by now; this process's own table loses its one.
  EXPECT_THAT(ns->Close(), IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();
  stop = true;
  thread.join();

  ASSERT_GT(tid, 0);
  const Namespace* found = Find(*snapshot, NamespaceType::kUts, inode);
  ASSERT_THAT(found, NotNull());
  EXPECT_EQ(Show(found->fds()), absl::StrCat("kind: namespace_file pid: ", getpid(),
                                             " tid: ", tid.load(), " fd: ", fd, ";"));
  EXPECT_THAT(found->reference(),
              ElementsAre(absl::StrCat("/proc/", getpid(), "/task/", tid.load(), "/fd/", fd)));
  const Process* process = SnapshotIndex(*snapshot).FindProcess(getpid());
  ASSERT_EQ(process->threads_size(), 1);
  EXPECT_TRUE(process->threads(0).own_fd_table());
}

TEST_F(HolderKernelTest, SocketHoldsItsNetworkNamespaceAndIsCountedOnce) {
  absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWNET, NamespaceType::kNet);
  NSCTL_SKIP_IF_LACKING(ns.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(ns, IsOk());
  const uint32_t inode = InodeOf(*ns);
  const OwnedFd socket_fd =
      OpenInside(*ns, [] { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); });
  ASSERT_TRUE(socket_fd.ok());
  const OwnedFd copy(fcntl(socket_fd.get(), F_DUPFD_CLOEXEC, 0));
  EXPECT_THAT(ns->Close(), IsOk());
  struct stat stat_of_socket = {};
  ASSERT_EQ(fstat(socket_fd.get(), &stat_of_socket), 0);

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* found = Find(*snapshot, NamespaceType::kNet, inode);
  ASSERT_THAT(found, NotNull());
  EXPECT_EQ(
      Show(found->sockets()),
      absl::StrCat("kind: socket pid: ", getpid(), " fd: ", std::min(socket_fd.get(), copy.get()),
                   " socket_inode: ", stat_of_socket.st_ino, " count: 2;"));
  EXPECT_EQ(found->socket_count(), 1u);
  EXPECT_THAT(found->reference(), IsEmpty());
  EXPECT_TRUE(found->has_owner());
  EXPECT_FALSE(found->dark());
}

TEST_F(HolderKernelTest, TunHoldsTheNetworkNamespaceItWasOpenedIn) {
  absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWNET, NamespaceType::kNet);
  NSCTL_SKIP_IF_LACKING(ns.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(ns, IsOk());
  const uint32_t inode = InodeOf(*ns);
  const OwnedFd tun =
      OpenInside(*ns, [] { return open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK); });
  if (!tun.ok()) GTEST_SKIP() << "needs /dev/net/tun";
  EXPECT_THAT(ns->Close(), IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* found = Find(*snapshot, NamespaceType::kNet, inode);
  ASSERT_THAT(found, NotNull());
  EXPECT_EQ(Show(found->fds()), absl::StrCat("kind: tun pid: ", getpid(), " fd: ", tun.get(), ";"));
}

TEST_F(HolderKernelTest, PidfdHoldsThePidNamespaceOfItsProcess) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;
  const absl::StatusOr<OwnedFd> pidfd = base::OpenPidfd(child->pid());
  ASSERT_THAT(pidfd, IsOk());
  const absl::StatusOr<OwnedFd> ns = child->OpenNamespace(NamespaceType::kPid);
  ASSERT_THAT(ns, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();
  child->Stop();
  const std::unique_ptr<Snapshot> afterwards = Scan();

  const Namespace* found = Find(*snapshot, NamespaceType::kPid, InodeOf(*ns));
  ASSERT_THAT(found, NotNull());
  EXPECT_THAT(Show(found->fds()),
              ::testing::HasSubstr(absl::StrCat("kind: pidfd pid: ", getpid(),
                                                " fd: ", pidfd->get(), " target_pid: ", pid, ";")));
  // Of an ended process it does not tell which one it keeps.
  EXPECT_GE(afterwards->statistics().ended_pidfds(), 1u);
}

TEST_F(HolderKernelTest, NamespaceThatAwaitsItsFirstProcess) {
  const absl::StatusOr<TestChild> child =
      TestChild::Start(0, [] { return syscall(SYS_unshare, CLONE_NEWPID) == 0 ? 0 : errno; });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> pidfd = base::OpenPidfd(child->pid());
  ASSERT_THAT(pidfd, IsOk());
  const absl::StatusOr<OwnedFd> ns = base::OpenNamespaceForChildrenOf(*pidfd, NamespaceType::kPid);
  NSCTL_SKIP_IF_LACKING(ns.status(), "PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE");
  ASSERT_THAT(ns, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* found = Find(*snapshot, NamespaceType::kPid, InodeOf(*ns));
  ASSERT_THAT(found, NotNull());
  // Linux 7 shows the link, and then does not tell such a namespace from one whose first process
  // has ended.
  const bool is_hidden = !child->Open("ns/pid_for_children").ok();
  EXPECT_EQ(found->awaits_first_process(), is_hidden);
  EXPECT_THAT(found->for_children_of(), ElementsAre(child->pid().value));
  EXPECT_TRUE(found->has_parent());
}

constexpr char kBindTarget[] = "/run/nsctl test";

// Runs in a child with mounts of its own: mounts its UTS namespace, which it leaves, at a path with
// a blank, twice, once where another mount hides it.
int MountUtsNamespace() {
  if (mount("none", "/run", "tmpfs", 0, "") != 0) return errno;
  if (mkdir("/run/hidden", 0755) != 0) return errno;
  for (const char* path : {kBindTarget, "/run/hidden/ns"}) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    close(fd);
    if (mount("/proc/self/ns/uts", path, "", MS_BIND, nullptr) != 0) return errno;
  }
  if (sethostname("bound\x1b", 6) != 0) return errno;
  if (mount("none", "/run/hidden", "tmpfs", 0, "") != 0) return errno;
  return syscall(SYS_unshare, CLONE_NEWUTS) == 0 ? 0 : errno;
}

TEST_F(HolderKernelTest, BindMountInAnotherMountNamespaceHolds) {
  const absl::StatusOr<TestChild> child =
      TestChild::Start(CLONE_NEWNS | CLONE_NEWUTS, MountUtsNamespace);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> bound = child->Open(absl::StrCat("root", kBindTarget));
  ASSERT_THAT(bound, IsOk());
  const absl::StatusOr<OwnedFd> mnt = child->OpenNamespace(NamespaceType::kMnt);
  ASSERT_THAT(mnt, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* found = Find(*snapshot, NamespaceType::kUts, InodeOf(*bound));
  ASSERT_THAT(found, NotNull());
  ASSERT_EQ(found->bind_mounts_size(), 2);
  EXPECT_EQ(found->bind_mounts(0).path(), "/run/hidden/ns");
  EXPECT_TRUE(found->bind_mounts(0).hidden());
  EXPECT_EQ(found->bind_mounts(1).path(), kBindTarget);
  EXPECT_FALSE(found->bind_mounts(1).hidden());
  for (const BindMount& mount : found->bind_mounts()) {
    EXPECT_EQ(mount.mount_namespace(), InodeOf(*mnt));
  }
  // It was opened by way of the mount, so its link is a path.
  EXPECT_EQ(Show(found->fds()),
            absl::StrCat("kind: namespace_file pid: ", getpid(), " fd: ", bound->get(), ";"));
  EXPECT_EQ(found->hostname(), "bound\x1b");
  EXPECT_TRUE(found->has_owner());
}

// Runs in a child with mounts of its own: keeps a descriptor that was opened by way of a mount,
// which is hidden afterwards. The child is in none of its namespaces.
int OpenThroughHiddenMount() {
  if (mount("none", "/run", "tmpfs", 0, "") != 0) return errno;
  const int before = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  const int target = open("/run/ns", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (before < 0 || target < 0 || syscall(SYS_unshare, CLONE_NEWUTS) != 0) return errno;
  if (mount("/proc/self/ns/uts", "/run/ns", "", MS_BIND, nullptr) != 0) return errno;
  if (open("/run/ns", O_RDONLY | O_CLOEXEC) < 0 || setns(before, CLONE_NEWUTS) != 0) return errno;
  close(target);
  close(before);
  return mount("none", "/run", "tmpfs", 0, "") == 0 ? 0 : errno;
}

TEST_F(HolderKernelTest, DescriptorIsAWayWhereTheMountIsHidden) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, OpenThroughHiddenMount);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const auto found = absl::c_find_if(snapshot->namespaces(), [&](const Namespace& ns) {
    return ns.type() == Namespace::uts && ns.fds_size() == 1 &&
           ns.fds(0).pid() == child->pid().value;
  });
  ASSERT_NE(found, snapshot->namespaces().end());
  ASSERT_EQ(found->bind_mounts_size(), 1);
  EXPECT_TRUE(found->bind_mounts(0).hidden());
  EXPECT_TRUE(found->has_owner());
  EXPECT_TRUE(found->has_device_minor());
  EXPECT_THAT(found->reference(),
              ElementsAre(absl::StrCat("/proc/", child->pid().value, "/fd/", found->fds(0).fd())));
  const std::string subject = base::NamespaceLinkText(NamespaceType::kUts, found->inode());
  for (const Gap& gap : snapshot->gaps()) EXPECT_NE(gap.subject(), subject) << gap.operation();
}

constexpr char kPinned[] = "/run/pinned";
constexpr char kInner[] = "/run/inner";

// Runs in a child of a child, which then waits for its end: with a mount namespace of its own, in
// which a UTS namespace that it leaves is mounted.
[[noreturn]] void PinInside(int ready) {
  int error = syscall(SYS_unshare, CLONE_NEWNS | CLONE_NEWUTS) == 0 ? 0 : errno;
  const int fd = open(kInner, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (error == 0 && mount("/proc/self/ns/uts", kInner, "", MS_BIND, nullptr) != 0) error = errno;
  if (error == 0 && sethostname("inner", 5) != 0) error = errno;
  close(fd);
  if (write(ready, &error, sizeof(error)) < 0) _exit(1);
  while (true) pause();
}

// Runs in a child with mounts of its own: makes a mount namespace that nothing but a mount of its
// file keeps alive. The kernel allows that only for one with a later number than the mounter's own,
// and deals numbers in batches for each CPU.
int PinMountNamespace() {
  if (mount("none", "/run", "tmpfs", 0, "") != 0) return errno;
  if (mount("none", "/run", nullptr, MS_PRIVATE, nullptr) != 0) return errno;
  const int target = open(kPinned, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (target < 0) return errno;
  close(target);
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return errno;
  const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child < 0) return errno;
  if (child == 0) PinInside(ready[1]);
  int error = 0;
  if (read(ready[0], &error, sizeof(error)) != sizeof(error)) error = EIO;
  char path[64];
  snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", child);
  if (error == 0 && mount(path, kPinned, "", MS_BIND, nullptr) != 0) error = errno;
  kill(static_cast<pid_t>(child), SIGKILL);
  waitpid(static_cast<pid_t>(child), nullptr, 0);
  return error;
}

TEST_F(HolderKernelTest, ChainOfMountsLeadsThroughAMountNamespaceWithoutAProcess) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one_cpu;
  CPU_ZERO(&one_cpu);
  CPU_SET(sched_getcpu(), &one_cpu);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one_cpu), &one_cpu), 0);
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, PinMountNamespace);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  absl::StatusOr<OwnedFd> mnt = child->Open(absl::StrCat("root", kPinned));
  ASSERT_THAT(mnt, IsOk());
  const uint32_t inode = InodeOf(*mnt);
  EXPECT_THAT(mnt->Close(), IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* pinned = Find(*snapshot, NamespaceType::kMnt, inode);
  ASSERT_THAT(pinned, NotNull());
  EXPECT_EQ(pinned->bind_mount_count(), 1u);
  EXPECT_FALSE(pinned->dark());
  const auto inner = absl::c_find_if(snapshot->namespaces(), [&](const Namespace& ns) {
    return ns.bind_mounts_size() > 0 && ns.bind_mounts(0).mount_namespace() == inode;
  });
  ASSERT_NE(inner, snapshot->namespaces().end());
  EXPECT_EQ(inner->hostname(), "inner");
  EXPECT_EQ(inner->bind_mounts(0).path(), kInner);
  EXPECT_THAT(inner->reference(),
              ElementsAre(absl::StrCat("/proc/", child->pid().value, "/ns/mnt"), kPinned, kInner));
}

// In numbers and rows what mountinfo has.
TEST_F(HolderKernelTest, MountsOfAllNamespacesAreThereWhenAskedFor) {
  const absl::StatusOr<TestChild> child =
      TestChild::Start(CLONE_NEWNS | CLONE_NEWUTS, MountUtsNamespace);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> mnt = child->OpenNamespace(NamespaceType::kMnt);
  ASSERT_THAT(mnt, IsOk());
  const absl::StatusOr<OwnedFd> mountinfo = child->Open("mountinfo");
  ASSERT_THAT(mountinfo, IsOk());
  std::string text;
  ASSERT_THAT(base::ReadToEnd(*mountinfo, 1 << 20, &text), IsOk());

  DiscoverOptions options;
  options.mounts = true;
  const std::unique_ptr<Snapshot> snapshot = Scan(options);

  const mounttree::MountNamespace* found = nullptr;
  for (const mounttree::MountNamespace& mounts : snapshot->mounts()) {
    if (mounts.inode() == InodeOf(*mnt)) found = &mounts;
  }
  ASSERT_THAT(found, NotNull());
  // From 7.0 on the namespace's first root is among them, which mountinfo leaves out where another
  // one is mounted on it.
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_THAT(found->mounts_size(), AnyOf(lines, lines + 1));
  EXPECT_EQ(found->mounts(found->mounts_size() - 1).mount_point(), "/run/hidden");
}

}  // namespace
}  // namespace nsctl::nsdisc
