// Discovery where the kernel hides a namespace, or what holds it, in places that are easily missed,
// and where looking too closely would never come back. Each scene is in a child with mounts of its
// own, which reports what went wrong.

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/discover_fixture.h"
#include "procfsroot/run_in_child.h"
#include "testing/silent_fuse.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;

// A new UTS namespace that is mounted at `path` and held by nothing else; 0 where it went wrong.
uint32_t MountNewUts(const std::string& path) {
  absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWUTS, NamespaceType::kUts);
  if (!ns.ok()) return 0;
  const std::string link = absl::StrCat("/proc/self/fd/", ns->get());
  if (mount(link.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) return 0;
  return InodeOf(*ns);
}

bool MakeFile(const std::string& path) {
  return OwnedFd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).ok();
}

std::string ShowFds(const Namespace& ns) {
  std::string text;
  for (const FdHolder& holder : ns.fds()) absl::StrAppend(&text, holder.ShortDebugString(), ";");
  return text;
}

std::string Holder(const char* kind, int fd) {
  return absl::StrCat("kind: ", kind, " pid: ", getpid(), " fd: ", fd, ";");
}

const Gap* FindGap(const Snapshot& snapshot, absl::FunctionRef<bool(const Gap&)> is_wanted) {
  const auto found = absl::c_find_if(snapshot.gaps(), is_wanted);
  return found != snapshot.gaps().end() ? &*found : nullptr;
}

class HiddenHoldersKernelTest : public DiscoverFixture {
 protected:
  const std::string& directory() const { return directory_.path(); }

 private:
  testing::TestDirectory directory_;
};

TEST_F(HiddenHoldersKernelTest, DescriptorOfAMountThatIsGoneHolds) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const std::string path = absl::StrCat(directory(), "/uts");
    NSCTL_CHILD_EXPECT(MakeFile(path));
    for (const int flags : {O_RDONLY, O_PATH}) {
      const uint32_t inode = MountNewUts(path);
      NSCTL_CHILD_EXPECT(inode != 0);
      const OwnedFd fd(open(path.c_str(), flags | O_CLOEXEC));
      NSCTL_CHILD_EXPECT(fd.ok());
      NSCTL_CHILD_EXPECT(umount2(path.c_str(), MNT_DETACH) == 0);

      const std::unique_ptr<Snapshot> snapshot = Scan();

      const Namespace* found = Find(*snapshot, NamespaceType::kUts, inode);
      NSCTL_CHILD_EXPECT(found != nullptr);
      NSCTL_CHILD_EXPECT(ShowFds(*found) == Holder("namespace_file", fd.get()));
      NSCTL_CHILD_EXPECT(found->has_owner());
    }
    return "";
  });
}

TEST_F(HiddenHoldersKernelTest, DetachedTreeHolds) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const std::string path = absl::StrCat(directory(), "/uts");
    NSCTL_CHILD_EXPECT(MakeFile(path));
    const uint32_t inode = MountNewUts(path);
    NSCTL_CHILD_EXPECT(inode != 0);
    constexpr int kOpenTreeClone = 1;
    const OwnedFd tree(static_cast<int>(
        syscall(SYS_open_tree, AT_FDCWD, path.c_str(), kOpenTreeClone | O_CLOEXEC)));
    NSCTL_CHILD_EXPECT(tree.ok());
    NSCTL_CHILD_EXPECT(umount2(path.c_str(), MNT_DETACH) == 0);

    const std::unique_ptr<Snapshot> snapshot = Scan();

    const Namespace* found = Find(*snapshot, NamespaceType::kUts, inode);
    NSCTL_CHILD_EXPECT(found != nullptr);
    NSCTL_CHILD_EXPECT(ShowFds(*found) == Holder("namespace_file", tree.get()));
    return "";
  });
}

TEST_F(HiddenHoldersKernelTest, DescriptorIsTheWayToWhatAHiddenMountHolds) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(mount("t", directory().c_str(), "tmpfs", 0, nullptr) == 0);
    const std::string path = absl::StrCat(directory(), "/uts");
    NSCTL_CHILD_EXPECT(MakeFile(path));
    const uint32_t inode = MountNewUts(path);
    NSCTL_CHILD_EXPECT(inode != 0);
    const OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    NSCTL_CHILD_EXPECT(fd.ok());
    NSCTL_CHILD_EXPECT(mount("t", directory().c_str(), "tmpfs", 0, nullptr) == 0);

    const std::unique_ptr<Snapshot> snapshot = Scan();

    const Namespace* found = Find(*snapshot, NamespaceType::kUts, inode);
    NSCTL_CHILD_EXPECT(found != nullptr);
    NSCTL_CHILD_EXPECT(found->bind_mounts_size() == 1 && found->bind_mounts(0).hidden());
    NSCTL_CHILD_EXPECT(ShowFds(*found) == Holder("namespace_file", fd.get()));
    NSCTL_CHILD_EXPECT(found->has_owner());
    const std::string subject = base::NamespaceLinkText(NamespaceType::kUts, inode);
    NSCTL_CHILD_EXPECT(
        FindGap(*snapshot, [&](const Gap& gap) { return gap.subject() == subject; }) == nullptr);
    return "";
  });
}

TEST_F(HiddenHoldersKernelTest, RegisteredWithIoUringHolds) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(0, [&]() -> std::string {
    absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWUTS, NamespaceType::kUts);
    if (base::IsDenied(ns.status())) return "unshare: EPERM";
    NSCTL_CHILD_EXPECT(ns.ok());
    const uint32_t inode = InodeOf(*ns);
    struct io_uring_params parameters = {};
    const OwnedFd ring(static_cast<int>(syscall(SYS_io_uring_setup, 4, &parameters)));
    // Forbidden by kernel.io_uring_disabled.
    if (!ring.ok() && (errno == EPERM || errno == ENOSYS)) return "unshare: EPERM";
    NSCTL_CHILD_EXPECT(ring.ok());
    const int files[] = {ns->get(), ns->get()};
    NSCTL_CHILD_EXPECT(
        syscall(SYS_io_uring_register, ring.get(), IORING_REGISTER_FILES, files, 2) == 0);
    NSCTL_CHILD_EXPECT(ns->Close().ok());
    const std::string subject = absl::StrCat("pid:", getpid());
    const absl::StatusOr<std::string> told = base::ReadFileAt(
        base::FdRef(AT_FDCWD), absl::StrCat("/proc/self/fdinfo/", ring.get()), 4096);
    NSCTL_CHILD_EXPECT(told.ok());

    const std::unique_ptr<Snapshot> snapshot = Scan();

    const Namespace* found = Find(*snapshot, NamespaceType::kUts, inode);
    const Gap* const gap = FindGap(*snapshot, [&](const Gap& one) {
      return one.subject() == subject && one.operation() == "read fdinfo of io_uring";
    });
    // Linux 6.13.
    const bool is_named = absl::StrContains(*told, "uts:[");
    NSCTL_CHILD_EXPECT((gap == nullptr) == is_named);
    if (!is_named) {
      NSCTL_CHILD_EXPECT(gap->error() == "ENODATA");
      return "";
    }
    NSCTL_CHILD_EXPECT(found != nullptr);
    NSCTL_CHILD_EXPECT(ShowFds(*found) == Holder("io_uring", ring.get()));
    return "";
  });
}

TEST_F(HiddenHoldersKernelTest, DescriptorsInFlightAreAGapForThoseWhoAsk) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets), 0);
  const OwnedFd out(sockets[0]);
  const OwnedFd in(sockets[1]);
  char byte = 0;
  struct iovec data = {&byte, 1};
  alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(2 * sizeof(int));
  const int sent[] = {out.get(), out.get()};
  memcpy(CMSG_DATA(header), sent, sizeof(sent));
  ASSERT_EQ(sendmsg(out.get(), &message, 0), 1);
  const auto is_of_this = [](const Gap& gap) {
    return gap.subject() == absl::StrCat("pid:", getpid()) && gap.operation() == "read SCM_RIGHTS";
  };

  const std::unique_ptr<Snapshot> without = Scan();
  DiscoverOptions all;
  all.descriptors_in_flight = true;
  const std::unique_ptr<Snapshot> with = Scan(all);

  EXPECT_EQ(FindGap(*without, is_of_this), nullptr);
  const Gap* const gap = FindGap(*with, is_of_this);
  ASSERT_NE(gap, nullptr);
  EXPECT_EQ(gap->count(), 2u);
  EXPECT_EQ(gap->consequence(), "what the descriptors hold that wait in its sockets is unknown");
}

TEST_F(HiddenHoldersKernelTest, WhoIsOutsideOfThePidNamespaceIsAGap) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS | CLONE_NEWPID, [&]() -> std::string {
    // Children are in the new PID namespace, and see it by its own procfs.
    return procfsroot::RunInChild(0, [&]() -> std::string {
      NSCTL_CHILD_EXPECT(mount("proc", "/proc", "proc", 0, nullptr) == 0);
      const std::unique_ptr<Snapshot> snapshot = Scan();
      const Gap* const gap =
          FindGap(*snapshot, [](const Gap& one) { return one.operation() == "list processes"; });
      NSCTL_CHILD_EXPECT(gap != nullptr);
      NSCTL_CHILD_EXPECT(gap->subject() == "host");
      NSCTL_CHILD_EXPECT(gap->consequence() ==
                         "processes outside of this PID namespace are hidden");
      return "";
    });
  });
}

TEST_F(HiddenHoldersKernelTest, TimeNamespaceThatAwaitsItsFirstProcessHasItsOffsets) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(static_cast<int>(base::abi::kCloneNewTime), [&]() -> std::string {
    constexpr char kOffsets[] = "monotonic 4711 12";
    const OwnedFd file(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
    NSCTL_CHILD_EXPECT(write(file.get(), kOffsets, strlen(kOffsets)) > 0);
    struct stat pending = {};
    NSCTL_CHILD_EXPECT(stat("/proc/self/ns/time_for_children", &pending) == 0);

    const std::unique_ptr<Snapshot> snapshot = Scan();

    const Namespace* found =
        Find(*snapshot, NamespaceType::kTime, static_cast<uint32_t>(pending.st_ino));
    NSCTL_CHILD_EXPECT(found != nullptr);
    NSCTL_CHILD_EXPECT(found->process_count() == 0);
    NSCTL_CHILD_EXPECT(found->clock_offsets_size() == 2);
    NSCTL_CHILD_EXPECT(found->clock_offsets(0).seconds() == 4711);
    NSCTL_CHILD_EXPECT(found->clock_offsets(0).nanoseconds() == 12);
    return "";
  });
}

TEST_F(HiddenHoldersKernelTest, SaysThatSomethingIsMountedOverAProcess) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const std::string path = absl::StrCat("/proc/", getppid());
    NSCTL_CHILD_EXPECT(mount("t", path.c_str(), "tmpfs", 0, nullptr) == 0);
    const std::unique_ptr<Snapshot> snapshot = Scan();
    const std::string subject = absl::StrCat("pid:", getppid());
    const Gap* const gap =
        FindGap(*snapshot, [&](const Gap& one) { return one.subject() == subject; });
    NSCTL_CHILD_EXPECT(gap != nullptr);
    NSCTL_CHILD_EXPECT(gap->error() == "EXDEV");
    NSCTL_CHILD_EXPECT(gap->consequence() ==
                       "something is mounted over it: nothing but its number is known");
    return "";
  });
}

// One server of a file system is silent: the scan says what it could not look at, and both it and
// the process that made it come to their ends.
TEST_F(HiddenHoldersKernelTest, SilentServerHoldsNobodyUp) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<testing::SilentFuse>> fuse =
        testing::SilentFuse::Mount(directory());
    if (!fuse.ok()) return std::string(fuse.status().message());
    const uint32_t inode = MountNewUts(absl::StrCat(directory(), "/d/file"));
    NSCTL_CHILD_EXPECT(inode != 0);
    (*fuse)->GoSilent();
    const pid_t scanner = fork();
    if (scanner == 0) {
      const std::unique_ptr<Snapshot> snapshot = Scan();
      const Namespace* const found = Find(*snapshot, NamespaceType::kUts, inode);
      const std::string subject = base::NamespaceLinkText(NamespaceType::kUts, inode);
      const Gap* const gap =
          FindGap(*snapshot, [&](const Gap& one) { return one.subject() == subject; });
      // From Linux 6.19 on the kernel's own list leads there as well.
      const bool is_known = found != nullptr && found->has_owner() && gap == nullptr;
      const bool is_gap = gap != nullptr && gap->error() == "ETIMEDOUT" &&
                          gap->consequence() ==
                              "a file system on the way did not answer: its owner, parent and "
                              "ids are unknown";
      const bool is_told =
          found != nullptr && found->bind_mount_count() == 1 && (is_gap || is_known);
      _exit(is_told ? 0 : 1);
    }
    int status = -1;
    pid_t ended = 0;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (ended == 0 && absl::Now() < deadline) {
      ended = waitpid(scanner, &status, WNOHANG);
      absl::SleepFor(absl::Milliseconds(1));
    }
    // Lets everybody go in either case.
    fuse->reset();
    NSCTL_CHILD_EXPECT(ended == scanner);
    NSCTL_CHILD_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::nsdisc
