// Mounts of every shape that is known to be nasty, made in a mount namespace of their own: both
// readers, the tree and findmnt must agree, and the kernel's own walk must see what the tree says.

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_checks.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/test_directory.h"

namespace nsctl::mounttree {
namespace {

using procfsroot::Procfs;
using Reader = ReadMountsOptions::Reader;

// What there is to make shapes with: a tmpfs of its own, on which all else happens.
class Scene {
 public:
  explicit Scene(std::string directory) : directory_(std::move(directory)) {}

  std::string PathOf(const std::string& name) const { return absl::StrCat(directory_, "/", name); }

  bool MakeDirectory(const std::string& name) const {
    return mkdir(PathOf(name).c_str(), 0755) == 0;
  }
  bool MakeFile(const std::string& name) const {
    return base::OwnedFd(open(PathOf(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)).ok();
  }
  bool MountTmpfs(const std::string& name, const char* source = "test",
                  const char* options = nullptr) const {
    return mount(source, PathOf(name).c_str(), "tmpfs", 0, options) == 0;
  }
  bool Bind(const std::string& from, const std::string& to, unsigned long flags = 0) const {
    return mount(PathOf(from).c_str(), PathOf(to).c_str(), nullptr, MS_BIND | flags, nullptr) == 0;
  }
  bool Propagate(const std::string& name, unsigned long flags) const {
    return mount(nullptr, PathOf(name).c_str(), nullptr, flags, nullptr) == 0;
  }

  // "ID-less" rows of the scene: "a overmounted", in the order in which they were made.
  std::string Show(const MountNamespace& mounts) const {
    std::vector<std::string> rows;
    for (const Mount& mount : mounts.mounts()) {
      if (!absl::StartsWith(mount.mount_point(), directory_ + "/")) continue;
      rows.push_back(absl::StrCat(mount.mount_point().substr(directory_.size() + 1), " ",
                                  Mount::Visibility_Name(mount.visibility())));
    }
    return absl::StrJoin(rows, "\n");
  }

  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

std::vector<std::string> Sorted(const std::string& lines) {
  std::vector<std::string> sorted = absl::StrSplit(lines, '\n');
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Runs `make` in a new mount namespace on a new tmpfs, then all comparisons, and compares the rows
// of the scene with `rows`.
void CheckShape(const std::function<std::string(const Scene&)>& make, const std::string& rows) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const absl::StatusOr<Procfs> procfs = Procfs::Live();
    if (!procfs.ok()) return procfs.status().ToString();
    const Scene scene(directory.path());
    NSCTL_CHILD_EXPECT(mount("scene", directory.path().c_str(), "tmpfs", 0, nullptr) == 0);
    if (std::string failed = make(scene); !failed.empty()) return failed;
    if (std::string difference = CheckOwnMounts(*procfs); !difference.empty()) return difference;
    const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs, Reader::kAuto);
    if (!mounts.ok()) return mounts.status().ToString();
    const std::string shown = scene.Show(*mounts);
    // mountinfo's order is the kernel's own, and 5.10 has another one.
    const bool ordered = mounts->reader() == MountNamespace::statmount;
    return shown == rows || (!ordered && Sorted(shown) == Sorted(rows))
               ? ""
               : absl::StrCat("rows:\n", shown);
  });
}

TEST(MountShapes, TheHostItself) {
  CheckShape([](const Scene&) { return ""; }, "");
}

TEST(MountShapes, OvermountedDirectory) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("d"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("d") && scene.MakeDirectory("d/in"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("d/in") && scene.MountTmpfs("d"));
        return "";
      },
      "d overmounted\nd/in overmounted_above\nd visible");
}

TEST(MountShapes, OvermountedFile) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeFile("f") && scene.MakeFile("g"));
        NSCTL_CHILD_EXPECT(scene.Bind("g", "f") && scene.Bind("g", "f"));
        return "";
      },
      "f overmounted\nf visible");
}

TEST(MountShapes, OvermountedDevice) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        const std::string device = scene.PathOf("device");
        NSCTL_CHILD_EXPECT(mknod(device.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
        for (int i = 0; i < 2; ++i) {
          NSCTL_CHILD_EXPECT(mount("/dev/zero", device.c_str(), nullptr, MS_BIND, nullptr) == 0);
        }
        return "";
      },
      "device overmounted\ndevice visible");
}

TEST(MountShapes, OvermountedSocketAndFifo) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
        // Short whatever the directory for tests is called.
        const base::OwnedFd top(open(scene.directory().c_str(), O_PATH | O_CLOEXEC));
        const std::string path = absl::StrCat("/proc/self/fd/", top.get(), "/socket");
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        const base::OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        NSCTL_CHILD_EXPECT(
            bind(fd.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) == 0);
        NSCTL_CHILD_EXPECT(mkfifo(scene.PathOf("fifo").c_str(), 0600) == 0);
        NSCTL_CHILD_EXPECT(scene.Bind("fifo", "socket") && scene.Bind("socket", "fifo"));
        NSCTL_CHILD_EXPECT(scene.Bind("fifo", "socket"));
        return "";
      },
      "socket overmounted\nfifo visible\nsocket visible");
}

// CRIU calls it overmount_with_shared_parent: what is mounted on a peer slips below what is there.
TEST(MountShapes, OvermountWithSharedParent) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("a") && scene.MakeDirectory("b"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a") && scene.Propagate("a", MS_SHARED));
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("a/x") && scene.Bind("a", "b"));
        NSCTL_CHILD_EXPECT(scene.Propagate("b", MS_SLAVE) && scene.MountTmpfs("b/x"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a/x") && scene.MountTmpfs("a"));
        return "";
      },
      // The last one also went over the root of the slave.
      "a overmounted\nb overmounted\nb/x overmounted_above\na/x overmounted_above\n"
      "b/x overmounted_above\na visible\nb visible");
}

TEST(MountShapes, ComplexSharing) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        for (const char* name : {"shared", "peer", "slave", "both", "private", "unbindable"}) {
          NSCTL_CHILD_EXPECT(scene.MakeDirectory(name));
        }
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("shared") && scene.MakeDirectory("shared/x"));
        NSCTL_CHILD_EXPECT(scene.Propagate("shared", MS_SHARED) && scene.Bind("shared", "peer"));
        NSCTL_CHILD_EXPECT(scene.Bind("shared", "slave") && scene.Propagate("slave", MS_SLAVE));
        NSCTL_CHILD_EXPECT(scene.Bind("slave", "both") && scene.Propagate("both", MS_SHARED));
        NSCTL_CHILD_EXPECT(scene.Bind("shared", "private"));
        NSCTL_CHILD_EXPECT(scene.Propagate("private", MS_PRIVATE));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("unbindable"));
        NSCTL_CHILD_EXPECT(scene.Propagate("unbindable", MS_UNBINDABLE));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("peer/x"));
        return "";
      },
      "shared visible\npeer visible\nslave visible\nboth visible\nprivate visible\n"
      "unbindable visible\npeer/x visible\nshared/x visible\nslave/x visible\nboth/x visible");
}

// CRIU calls it shared_slave_mount_children.
TEST(MountShapes, ChildrenOfSharedSlaves) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        for (const char* name : {"a", "b", "c"}) NSCTL_CHILD_EXPECT(scene.MakeDirectory(name));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a") && scene.MakeDirectory("a/x"));
        NSCTL_CHILD_EXPECT(scene.Propagate("a", MS_SHARED) && scene.Bind("a", "b"));
        NSCTL_CHILD_EXPECT(scene.Propagate("b", MS_SLAVE) && scene.Propagate("b", MS_SHARED));
        NSCTL_CHILD_EXPECT(scene.Bind("b", "c"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("b/x") && scene.MakeDirectory("b/x/y"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("c/x/y"));
        return "";
      },
      "a visible\nb visible\nc visible\nb/x visible\nc/x visible\nc/x/y visible\nb/x/y visible");
}

TEST(MountShapes, CoveredByASibling) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("a") && scene.MakeDirectory("a/b"));
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("a/b/c") && scene.MakeDirectory("ab"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a/b/c") && scene.MakeDirectory("a/b/c/d"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a/b/c/d") && scene.MountTmpfs("ab"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a") && scene.MakeDirectory("a/b"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("a/b"));
        return "";
      },
      "a/b/c covered\na/b/c/d covered\nab visible\na visible\na/b visible");
}

TEST(MountShapes, DeletedRoot) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("gone") && scene.MakeDirectory("d"));
        NSCTL_CHILD_EXPECT(scene.MakeFile("lost") && scene.MakeFile("f"));
        NSCTL_CHILD_EXPECT(scene.Bind("gone", "d") && scene.Bind("lost", "f"));
        NSCTL_CHILD_EXPECT(rmdir(scene.PathOf("gone").c_str()) == 0);
        NSCTL_CHILD_EXPECT(unlink(scene.PathOf("lost").c_str()) == 0);
        return "";
      },
      "d visible\nf visible");
}

TEST(MountShapes, DeepStack) {
  std::vector<std::string> rows(1000, "d overmounted");
  rows.back() = "d visible";
  CheckShape(
      [](const Scene& scene) -> std::string {
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("d"));
        for (int i = 0; i < 1000; ++i) NSCTL_CHILD_EXPECT(scene.MountTmpfs("d"));
        return "";
      },
      absl::StrJoin(rows, "\n"));
}

TEST(MountShapes, HostileNames) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        for (const char* name : {"new\nline", "\x1b[2J", "bad\xff\xc3(", "a b\t\\#", "\\040"}) {
          NSCTL_CHILD_EXPECT(scene.MakeDirectory(name) && scene.MountTmpfs(name));
        }
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("source"));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("source", "a b\n#\\\x1b\xff"));
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("empty") && scene.MountTmpfs("empty", ""));
        NSCTL_CHILD_EXPECT(scene.MakeDirectory("none") && scene.MountTmpfs("none", nullptr));
        NSCTL_CHILD_EXPECT(scene.Bind("bad\xff\xc3(", "none"));
        return "";
      },
      "new\nline visible\n\x1b[2J visible\nbad\\xff\\xc3( visible\na b\t\\\\# visible\n"
      "\\\\040 visible\nsource visible\nempty visible\nnone overmounted\nnone visible");
}

TEST(MountShapes, CommasInOptions) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        for (const char* name : {"lower,a b", "upper", "work", "o"}) {
          NSCTL_CHILD_EXPECT(scene.MakeDirectory(name));
        }
        const std::string options =
            absl::StrCat("lowerdir=", scene.PathOf("lower\\,a b"),
                         ",upperdir=", scene.PathOf("upper"), ",workdir=", scene.PathOf("work"));
        const int made =
            mount("o", scene.PathOf("o").c_str(), "overlay", MS_RDONLY, options.c_str());
        if (made != 0 && errno == ENODEV) return "lacking: overlay in the kernel";
        NSCTL_CHILD_EXPECT(made == 0);
        const absl::StatusOr<Procfs> procfs = Procfs::Live();
        NSCTL_CHILD_EXPECT(procfs.ok());
        for (const Reader reader : {Reader::kAuto, Reader::kMountinfo}) {
          const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs, reader);
          NSCTL_CHILD_EXPECT(mounts.ok());
          const Mount& mount = *mounts->mounts().rbegin();
          NSCTL_CHILD_EXPECT(mount.read_only());
          NSCTL_CHILD_EXPECT(mount.super_option_list_size() > 3);
          NSCTL_CHILD_EXPECT(absl::StrContains(mount.super_option_list(1), "lower,a b") ||
                             absl::StrContains(mount.super_option_list(1), "lower\\\\,a b"));
        }
        return "";
      },
      "o visible");
}

TEST(MountShapes, ReadOnlyInBothWays) {
  CheckShape(
      [](const Scene& scene) -> std::string {
        for (const char* name : {"mount", "super", "rw"}) {
          NSCTL_CHILD_EXPECT(scene.MakeDirectory(name));
        }
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("mount"));
        NSCTL_CHILD_EXPECT(scene.Propagate(
            "mount", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("super"));
        NSCTL_CHILD_EXPECT(scene.Propagate("super", MS_REMOUNT | MS_RDONLY));
        NSCTL_CHILD_EXPECT(scene.Propagate("super", MS_REMOUNT | MS_BIND | MS_STRICTATIME));
        NSCTL_CHILD_EXPECT(scene.MountTmpfs("rw"));
        NSCTL_CHILD_EXPECT(scene.Propagate(
            "rw", MS_REMOUNT | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_NOSUID));
        const absl::StatusOr<Procfs> procfs = Procfs::Live();
        NSCTL_CHILD_EXPECT(procfs.ok());
        const absl::StatusOr<MountNamespace> mounts = ReadOwnMounts(*procfs, Reader::kAuto);
        NSCTL_CHILD_EXPECT(mounts.ok());
        const int last = mounts->mounts_size() - 1;
        NSCTL_CHILD_EXPECT(mounts->mounts(last - 2).read_only());
        NSCTL_CHILD_EXPECT(mounts->mounts(last - 1).read_only());
        NSCTL_CHILD_EXPECT(!mounts->mounts(last).read_only());
        return "";
      },
      "mount visible\nsuper visible\nrw visible");
}

}  // namespace
}  // namespace nsctl::mounttree
