#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/mount_api.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_checks.h"
#include "mounttree/mount_tree.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::mounttree {
namespace {

using base::TestChild;
using procfsroot::Procfs;
using testing::HasErrno;
using testing::IsOk;
using testing::StatusIs;
using Reader = ReadMountsOptions::Reader;

constexpr base::NamespaceType kMnt = base::NamespaceType::kMnt;

#define SKIP_WITHOUT_STATMOUNT()                                                       \
  if (!StatmountTellsAll(*procfs_)) {                                                  \
    GTEST_SKIP() << "needs statmount that tells all that mountinfo does (Linux 6.13)"; \
  }                                                                                    \
  static_assert(true, "")

// Returns from a `body` what went wrong, if something did.
#define CHILD_EXPECT_SAME(difference)                                               \
  do {                                                                              \
    if (std::string nsctl_difference_ = (difference); !nsctl_difference_.empty()) { \
      return absl::StrCat(__LINE__, ": ", nsctl_difference_);                       \
    }                                                                               \
  } while (false)

class ReadMountsKernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Procfs> procfs = Procfs::Live();
    ASSERT_THAT(procfs, IsOk());
    procfs_.emplace(*std::move(procfs));
  }

  const std::string& path() const { return directory_.path(); }

  bool MountTmpfs(const std::string& name) const {
    return mount("test", absl::StrCat(path(), name).c_str(), "tmpfs", 0, nullptr) == 0;
  }
  bool MakeDirectory(const std::string& name) const {
    return mkdir(absl::StrCat(path(), name).c_str(), 0755) == 0;
  }

  // The last mount made.
  absl::StatusOr<Mount> LastMount() const {
    const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs_, Reader::kAuto);
    if (!mounts.ok()) return mounts.status();
    return *mounts->mounts().rbegin();
  }

  testing::TestDirectory directory_;
  std::optional<Procfs> procfs_;
};

TEST_F(ReadMountsKernelTest, PivotedRoot) {
  SKIP_WITHOUT_STATMOUNT();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(MountTmpfs("") && MakeDirectory("/old") && MakeDirectory("/proc"));
    NSCTL_CHILD_EXPECT(syscall(SYS_pivot_root, path().c_str(), (path() + "/old").c_str()) == 0);
    CHILD_EXPECT_SAME(CompareReaders(*procfs_));
    const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs_, Reader::kStatmount);
    NSCTL_CHILD_EXPECT(mounts.ok() && mounts->notes().empty());
    CHILD_EXPECT_SAME(CompareWithKernel(*mounts));

    NSCTL_CHILD_EXPECT(umount2("/old", MNT_DETACH) == 0);
    CHILD_EXPECT_SAME(CompareReaders(*procfs_));
    const absl::StatusOr<MountNamespace> alone = ReadOwnMounts(*procfs_, Reader::kStatmount);
    NSCTL_CHILD_EXPECT(alone.ok() && alone->mounts_size() == 1);
    NSCTL_CHILD_EXPECT(alone->mounts(0).mount_point() == "/");
    return "";
  });
}

// mountinfo has only what is below the reader's root, and no "/" where that is a plain directory.
TEST_F(ReadMountsKernelTest, ChangedRoot) {
  SKIP_WITHOUT_STATMOUNT();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(MountTmpfs("") && MakeDirectory("/root") && MakeDirectory("/root/a"));
    NSCTL_CHILD_EXPECT(MountTmpfs("/root/a") && MakeDirectory("/root/a/b"));
    NSCTL_CHILD_EXPECT(MountTmpfs("/root/a/b"));
    NSCTL_CHILD_EXPECT(chroot((path() + "/root").c_str()) == 0);
    const absl::StatusOr<MountNamespace> mountinfo = ReadOwnMounts(*procfs_, Reader::kMountinfo);
    const absl::StatusOr<MountNamespace> statmount = ReadOwnMounts(*procfs_, Reader::kStatmount);
    NSCTL_CHILD_EXPECT(mountinfo.ok() && statmount.ok());
    CHILD_EXPECT_SAME(CompareMounts(*mountinfo, *statmount));
    CHILD_EXPECT_SAME(CompareWithKernel(*statmount));
    NSCTL_CHILD_EXPECT(mountinfo->mounts_size() == 2 && mountinfo->notes().empty());
    NSCTL_CHILD_EXPECT(mountinfo->mounts(0).mount_point() == "/a");
    NSCTL_CHILD_EXPECT(mountinfo->mounts(1).mount_point() == "/a/b");
    NSCTL_CHILD_EXPECT(mountinfo->mounts(1).visibility() == Mount::visible);
    NSCTL_CHILD_EXPECT(mountinfo->mounts(1).parent_path_id() == 1);

    // From outside of the root all can be seen.
    const absl::StatusOr<MountNamespace> inside = ReadOwnMounts(*procfs_, Reader::kMountinfoInside);
    NSCTL_CHILD_EXPECT(inside.ok() && inside->mounts_size() > 2);
    return "";
  });
}

// The process itself stays below, but whoever joins the namespace is on top.
TEST_F(ReadMountsKernelTest, OvermountedRoot) {
  SKIP_WITHOUT_STATMOUNT();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const base::OwnedFd self(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    NSCTL_CHILD_EXPECT(mount("top", "/", "tmpfs", 0, nullptr) == 0);
    NSCTL_CHILD_EXPECT(setns(self.get(), CLONE_NEWNS) == 0);
    const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs_, Reader::kStatmount);
    NSCTL_CHILD_EXPECT(mounts.ok());
    CHILD_EXPECT_SAME(CompareWithKernel(*mounts));
    NSCTL_CHILD_EXPECT(mounts->mounts().rbegin()->visibility() == Mount::visible);
    return "";
  });
}

TEST_F(ReadMountsKernelTest, KeepsTheSubtype) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const base::OwnedFd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device.ok()) return "";
    const std::string options =
        absl::StrCat("fd=", device.get(), ",rootmode=40000,user_id=0,group_id=0");
    NSCTL_CHILD_EXPECT(mount("host:/dir", path().c_str(), "fuse.ssh fs", 0, options.c_str()) == 0);
    CHILD_EXPECT_SAME(CheckOwnMounts(*procfs_));
    const absl::StatusOr<Mount> mount = LastMount();
    NSCTL_CHILD_EXPECT(mount.ok() && mount->fs_type() == "fuse.ssh fs");
    NSCTL_CHILD_EXPECT(mount->source() == "host:/dir");
    NSCTL_CHILD_EXPECT(absl::StrContains(mount->super_options(), "user_id=0"));
    return "";
  });
}

// A user namespace with the given map that no process is in.
absl::StatusOr<base::OwnedFd> MakeUserNamespace(const std::string& map) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER);
  if (!child.ok()) return child.status();
  for (const char* name : {"uid_map", "gid_map"}) {
    const base::OwnedFd file(
        open(absl::StrCat("/proc/", child->pid().value, "/", name).c_str(), O_WRONLY | O_CLOEXEC));
    if (const absl::Status written = base::WriteAll(file, map); !written.ok()) return written;
  }
  return child->OpenNamespace(base::NamespaceType::kUser);
}

TEST_F(ReadMountsKernelTest, TellsTheMapsOfAnIdmappedMount) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const absl::StatusOr<base::OwnedFd> users = MakeUserNamespace("0 10000 5\n7 20000 1\n");
    NSCTL_CHILD_EXPECT(users.ok());
    NSCTL_CHILD_EXPECT(MountTmpfs("") && MakeDirectory("/from") && MakeDirectory("/to"));
    const base::OwnedFd tree(static_cast<int>(
        syscall(SYS_open_tree, AT_FDCWD, (path() + "/from").c_str(), OPEN_TREE_CLONE | O_CLOEXEC)));
    struct mount_attr attributes = {};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<uint64_t>(users->get());
    const long mapped =
        syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes));
    if (mapped != 0 && (errno == EINVAL || errno == ENOSYS)) {
      return "lacking: id maps of tmpfs (Linux 6.3)";
    }
    NSCTL_CHILD_EXPECT(mapped == 0);
    struct utsname name = {};
    NSCTL_CHILD_EXPECT(uname(&name) == 0);
    if (!StatmountTellsAll(*procfs_)) return CheckOwnMounts(*procfs_);
    NSCTL_CHILD_EXPECT(syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, (path() + "/to").c_str(),
                               MOVE_MOUNT_F_EMPTY_PATH) == 0);
    CHILD_EXPECT_SAME(CheckOwnMounts(*procfs_));
    const absl::StatusOr<Mount> mount = LastMount();
    NSCTL_CHILD_EXPECT(mount.ok() && mount->idmapped());
    if (!base::MayAskForIdMaps(name.release)) {
      NSCTL_CHILD_EXPECT(mount->uid_map_size() == 0 && mount->gid_map_size() == 0);
      return "";
    }
    NSCTL_CHILD_EXPECT(mount->uid_map_size() == 2 && mount->gid_map_size() == 2);
    NSCTL_CHILD_EXPECT(mount->uid_map(0).ShortDebugString() == "outside: 10000 count: 5");
    NSCTL_CHILD_EXPECT(mount->uid_map(1).ShortDebugString() == "inside: 7 outside: 20000 count: 1");
    return "";
  });
}

// All that a user namespace's mount namespace copied from its parent's is locked together.
TEST_F(ReadMountsKernelTest, LockedMountsOfAUserNamespace) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> std::string {
    CHILD_EXPECT_SAME(CheckOwnMounts(*procfs_));
    NSCTL_CHILD_EXPECT(MountTmpfs(""));
    CHILD_EXPECT_SAME(CheckOwnMounts(*procfs_));
    return "";
  });
}

TEST_F(ReadMountsKernelTest, ReadsAnotherNamespaceInEveryWay) {
  SKIP_WITHOUT_STATMOUNT();
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, [&] {
    return mount("there", path().c_str(), "tmpfs", 0, nullptr) == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd fd, child->OpenNamespace(kMnt));
  NSCTL_ASSERT_OK_AND_ASSIGN(const uint64_t id, base::MountNamespaceIdOf(fd));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::NamespaceId inode, base::NamespaceIdOf(fd));
  const struct {
    const char* name;
    MountNamespaceAddress address;
    Reader reader;
    MountNamespace::Reader expected;
  } ways[] = {
      {"id", {.kernel_id = id}, Reader::kAuto, MountNamespace::statmount},
      {"descriptor", {.fd = fd}, Reader::kAuto, MountNamespace::statmount},
      {"process",
       {.procfs = &*procfs_, .process = child->pid()},
       Reader::kAuto,
       MountNamespace::statmount},
      {"mountinfo",
       {.procfs = &*procfs_, .process = child->pid(), .inode = inode.inode},
       Reader::kMountinfo,
       MountNamespace::mountinfo},
      {"inside",
       {.fd = fd, .procfs = &*procfs_},
       Reader::kMountinfoInside,
       MountNamespace::mountinfo_inside},
  };

  MountNamespace first;
  for (const auto& way : ways) {
    SCOPED_TRACE(way.name);
    MountNamespace mounts;
    ASSERT_THAT(ReadMounts(way.address, {.reader = way.reader}, &mounts), IsOk());
    EXPECT_EQ(mounts.reader(), way.expected);
    EXPECT_EQ(mounts.mounts().rbegin()->mount_point(), path());
    EXPECT_EQ(mounts.mounts().rbegin()->source(), "there");
    if (first.mounts().empty()) first = mounts;
    EXPECT_EQ(CompareMounts(first, mounts), "");
  }
}

TEST_F(ReadMountsKernelTest, ReadsANamespaceThatNoProcessIsIn) {
  SKIP_WITHOUT_STATMOUNT();
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWNS, [&] {
    return mount("there", path().c_str(), "tmpfs", 0, nullptr) == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd fd, child->OpenNamespace(kMnt));
  const base::Pid pid = child->pid();
  child->Stop();

  MountNamespace statmount, inside;
  ASSERT_THAT(ReadMounts({.fd = fd}, {}, &statmount), IsOk());
  ASSERT_THAT(
      ReadMounts({.fd = fd, .procfs = &*procfs_}, {.reader = Reader::kMountinfoInside}, &inside),
      IsOk());
  EXPECT_EQ(CompareMounts(statmount, inside), "");
  EXPECT_EQ(inside.mounts().rbegin()->source(), "there");
  EXPECT_THAT(ReadMounts({.procfs = &*procfs_, .process = pid}, {}, &inside), HasErrno(ENOENT));
  EXPECT_TRUE(inside.mounts().empty());
}

// A kernel before 6.13 tells no sources and subtypes: then mountinfo knows more.
TEST_F(ReadMountsKernelTest, TakesMountinfoWhereStatmountKnowsLess) {
  SKIP_WITHOUT_STATMOUNT();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(MountTmpfs(""));
    const base::OwnedFd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    const ReadMountsOptions old = {.hidden_statmount_fields = base::abi::kStatmountFsSubtype |
                                                              base::abi::kStatmountSbSource |
                                                              base::abi::kStatmountOptArray};
    MountNamespace mounts, text;
    NSCTL_CHILD_EXPECT(
        ReadMounts({.fd = fd, .procfs = &*procfs_, .process = base::Pid{getpid()}}, old, &text)
            .ok());
    NSCTL_CHILD_EXPECT(text.reader() == MountNamespace::mountinfo);
    NSCTL_CHILD_EXPECT(ReadMounts({.fd = fd, .procfs = &*procfs_}, old, &text).ok());
    NSCTL_CHILD_EXPECT(text.reader() == MountNamespace::mountinfo_inside);

    NSCTL_CHILD_EXPECT(ReadMounts({.fd = fd}, old, &mounts).ok());
    NSCTL_CHILD_EXPECT(mounts.reader() == MountNamespace::statmount);
    NSCTL_CHILD_EXPECT(!mounts.mounts(0).has_source());
    for (int i = 0; i < mounts.mounts_size(); ++i) {
      NSCTL_CHILD_EXPECT(mounts.mounts(i).super_options() == text.mounts(i).super_options());
    }
    return "";
  });
}

// A user namespace is all that one needs to make them.
TEST_F(ReadMountsKernelTest, LeavesOutLongPathsInEveryWay) {
  SKIP_WITHOUT_STATMOUNT();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(MountTmpfs(""));
    // Longer than what a system call takes.
    const std::string name(250, 'a');
    base::OwnedFd deepest(open(path().c_str(), O_PATH | O_CLOEXEC));
    for (int i = 0; i < 30; ++i) {
      NSCTL_CHILD_EXPECT(mkdirat(deepest.get(), name.c_str(), 0755) == 0);
      deepest = base::OwnedFd(openat(deepest.get(), name.c_str(), O_PATH | O_CLOEXEC));
    }
    for (int i = 0; i < 20; ++i) {
      const std::string place = absl::StrCat("m", i);
      NSCTL_CHILD_EXPECT(mkdirat(deepest.get(), place.c_str(), 0755) == 0);
      const base::OwnedFd tree(static_cast<int>(
          syscall(SYS_open_tree, AT_FDCWD, path().c_str(), OPEN_TREE_CLONE | O_CLOEXEC)));
      NSCTL_CHILD_EXPECT(syscall(SYS_move_mount, tree.get(), "", deepest.get(), place.c_str(),
                                 MOVE_MOUNT_F_EMPTY_PATH) == 0);
    }
    const base::OwnedFd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    const MountNamespaceAddress address = {
        .fd = fd, .procfs = &*procfs_, .process = base::Pid{getpid()}};
    struct Case {
      MountTextLimits limits;
      int without_path;
      std::string error;
    };
    for (const Case& one : {Case{{}, 0, ""}, Case{{.longest = 4096}, 20, "ENAMETOOLONG"},
                            Case{{.shortest = 4096, .all = 40000}, 15, "E2BIG"}}) {
      std::optional<MountNamespace> first;
      for (const Reader reader :
           {Reader::kStatmount, Reader::kMountinfo, Reader::kMountinfoInside}) {
        MountNamespace mounts;
        const ReadMountsOptions options = {
            .reader = reader, .propagate_from = true, .texts = one.limits};
        NSCTL_CHILD_EXPECT(ReadMounts(address, options, &mounts).ok());
        PlaceMounts(&mounts);
        if (!first.has_value()) first = mounts;
        CHILD_EXPECT_SAME(CompareMounts(*first, mounts));
        NSCTL_CHILD_EXPECT(
            std::count_if(mounts.mounts().begin(), mounts.mounts().end(), [](const Mount& mount) {
              return !mount.has_mount_point();
            }) == one.without_path);
        NSCTL_CHILD_EXPECT(mounts.gaps_size() == (one.without_path == 0 ? 0 : 1));
        if (one.without_path == 0) continue;
        NSCTL_CHILD_EXPECT(mounts.gaps(0).error() == one.error);
        NSCTL_CHILD_EXPECT(mounts.gaps(0).count() == static_cast<uint64_t>(one.without_path));
        NSCTL_CHILD_EXPECT(mounts.gaps(0).consequence() == first->gaps(0).consequence());
      }
    }
    return "";
  });
}

// Whose own mountinfo has but a part.
TEST_F(ReadMountsKernelTest, LooksInsideWhereAProcessHasAnotherRoot) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(MountTmpfs("") && MakeDirectory("/root") && MakeDirectory("/root/a"));
    NSCTL_CHILD_EXPECT(MountTmpfs("/root/a"));
    const base::OwnedFd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    NSCTL_CHILD_EXPECT(chroot((path() + "/root").c_str()) == 0);
    const ReadMountsOptions old = {.hidden_statmount_fields = base::abi::kStatmountFsSubtype |
                                                              base::abi::kStatmountSbSource |
                                                              base::abi::kStatmountOptArray};
    const MountNamespaceAddress process = {.procfs = &*procfs_, .process = base::Pid{getpid()}};
    MountNamespaceAddress both = process;
    both.fd = fd;
    for (const MountNamespaceAddress& address : {process, both}) {
      MountNamespace text;
      NSCTL_CHILD_EXPECT(ReadMounts(address, old, &text).ok());
      NSCTL_CHILD_EXPECT(text.reader() == MountNamespace::mountinfo_inside);
      NSCTL_CHILD_EXPECT(std::any_of(
          text.mounts().begin(), text.mounts().end(),
          [&](const Mount& mount) { return mount.mount_point() == path() + "/root/a"; }));
    }
    return "";
  });
}

TEST_F(ReadMountsKernelTest, KeepsToItsLimits) {
  SKIP_WITHOUT_STATMOUNT();
  const base::OwnedFd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "ns/mnt");
  const MountNamespaceAddress address = {
      .fd = fd, .procfs = &*procfs_, .process = base::Pid{getpid()}};
  for (const Reader reader : {Reader::kAuto, Reader::kStatmount, Reader::kMountinfo}) {
    MountNamespace mounts;
    EXPECT_THAT(ReadMounts(address, {.reader = reader, .max_mounts = 2}, &mounts),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_EQ(mounts.ByteSizeLong(), 0u);
  }
  MountNamespace mounts;
  EXPECT_THAT(
      ReadMounts(address, {.reader = Reader::kMountinfo, .max_mountinfo_bytes = 10}, &mounts),
      StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(ReadMountsKernelTest, NoticesThatAProcessIsInAnotherNamespace) {
  MountNamespace mounts;
  EXPECT_THAT(ReadMounts({.procfs = &*procfs_, .process = base::Pid{getpid()}, .inode = 1},
                         {.reader = Reader::kMountinfo}, &mounts),
              HasErrno(ESRCH));
  EXPECT_THAT(
      ReadMounts({.procfs = &*procfs_, .process = base::Pid{getpid()}, .inode = 1}, {}, &mounts),
      HasErrno(ESRCH));
}

}  // namespace
}  // namespace nsctl::mounttree
