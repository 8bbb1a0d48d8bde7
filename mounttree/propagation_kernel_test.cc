// What the propagation graph foretells against what the kernel does.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "mounttree/propagation.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/test_directory.h"

namespace nsctl::mounttree {
namespace {

// The mounts of several namespaces at one moment.
struct World {
  std::vector<std::unique_ptr<MountNamespace>> mounts;
  std::vector<MountTree> trees;

  std::vector<const MountNamespace*> Pointers() const {
    std::vector<const MountNamespace*> pointers;
    for (const auto& ns : mounts) pointers.push_back(ns.get());
    return pointers;
  }
  std::vector<const MountTree*> TreePointers() const {
    std::vector<const MountTree*> pointers;
    for (const MountTree& tree : trees) pointers.push_back(&tree);
    return pointers;
  }
  const Mount& MountOf(MountRef ref) const {
    return mounts[ref.mount_namespace]->mounts(static_cast<int>(ref.row));
  }
  // The visible mount at `path`.
  std::optional<MountRef> Find(uint32_t ns, const std::string& path) const {
    for (int row = 0; row < mounts[ns]->mounts_size(); ++row) {
      const Mount& mount = mounts[ns]->mounts(row);
      if (mount.mount_point() == path && mount.visibility() == Mount::visible) {
        return MountRef{ns, static_cast<uint32_t>(row)};
      }
    }
    return std::nullopt;
  }
};

World ReadWorld(const std::vector<base::OwnedFd>& namespaces) {
  World world;
  const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
  for (const base::OwnedFd& ns : namespaces) {
    auto mounts = std::make_unique<MountNamespace>();
    if (procfs.ok()) ReadMounts({.fd = ns, .procfs = &*procfs}, {}, mounts.get()).IgnoreError();
    world.trees.push_back(PlaceMounts(mounts.get()));
    world.mounts.push_back(std::move(mounts));
  }
  return world;
}

// Before Linux 6.8 there is only the number that is dealt again, but not so soon.
uint64_t IdOf(const Mount& mount) {
  return mount.has_unique_id() ? mount.unique_id() : mount.mount_id();
}

// "NAMESPACE PATH" of the mounts in `a` that are not in `b`.
std::multiset<std::string> Missing(const World& a, const World& b) {
  std::multiset<std::string> places;
  for (uint32_t ns = 0; ns < a.mounts.size(); ++ns) {
    std::set<uint64_t> known;
    for (const Mount& mount : b.mounts[ns]->mounts()) known.insert(IdOf(mount));
    for (const Mount& mount : a.mounts[ns]->mounts()) {
      if (!known.contains(IdOf(mount))) {
        places.insert(absl::StrCat(ns, " ", mount.mount_point()));
      }
    }
  }
  return places;
}

base::OwnedFd OpenOwn() { return base::OwnedFd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)); }

bool Remount(const std::string& path, unsigned long flags) {
  return mount(nullptr, path.c_str(), nullptr, flags, nullptr) == 0;
}

// Three namespaces: one whose `directory` is shared, a peer of it where that is slave and shared,
// and a copy of the second where all is slave. `directory` is also bound, in parts, to /b and /c.
std::string MakeNamespaces(const std::string& directory, std::vector<base::OwnedFd>* namespaces) {
  const std::string a = directory + "/a";
  NSCTL_CHILD_EXPECT(mount("scene", directory.c_str(), "tmpfs", 0, nullptr) == 0);
  for (const char* name : {"/a", "/b", "/c"}) {
    NSCTL_CHILD_EXPECT(mkdir((directory + name).c_str(), 0755) == 0);
  }
  NSCTL_CHILD_EXPECT(mount("shared", a.c_str(), "tmpfs", 0, nullptr) == 0);
  NSCTL_CHILD_EXPECT(Remount(a, MS_SHARED));
  NSCTL_CHILD_EXPECT(mkdir((a + "/x").c_str(), 0755) == 0);
  NSCTL_CHILD_EXPECT(mkdir((a + "/x/y").c_str(), 0755) == 0);
  NSCTL_CHILD_EXPECT(mkdir((a + "/z").c_str(), 0755) == 0);
  NSCTL_CHILD_EXPECT(
      mount((a + "/x").c_str(), (directory + "/b").c_str(), nullptr, MS_BIND, nullptr) == 0);
  namespaces->push_back(OpenOwn());
  NSCTL_CHILD_EXPECT(unshare(CLONE_NEWNS) == 0);
  NSCTL_CHILD_EXPECT(Remount("/", MS_SLAVE | MS_REC) && Remount("/", MS_SHARED | MS_REC));
  NSCTL_CHILD_EXPECT(
      mount((a + "/z").c_str(), (directory + "/c").c_str(), nullptr, MS_BIND, nullptr) == 0);
  namespaces->push_back(OpenOwn());
  NSCTL_CHILD_EXPECT(unshare(CLONE_NEWNS) == 0);
  NSCTL_CHILD_EXPECT(Remount("/", MS_SLAVE | MS_REC));
  namespaces->push_back(OpenOwn());
  return "";
}

// Mounts at, then unmounts from, `path` in each namespace in turn, and compares with the graph.
std::string CheckPath(const std::vector<base::OwnedFd>& namespaces, const std::string& path) {
  for (uint32_t ns = 0; ns < namespaces.size(); ++ns) {
    NSCTL_CHILD_EXPECT(setns(namespaces[ns].get(), CLONE_NEWNS) == 0);
    const World before = ReadWorld(namespaces);
    const std::optional<uint32_t> holder = before.trees[ns].FindHolder(path);
    NSCTL_CHILD_EXPECT(holder.has_value());
    const MountRef from = {ns, *holder};
    std::multiset<std::string> foretold = {absl::StrCat(ns, " ", path)};
    for (const PropagatedEvent& event :
         PropagationGraph(before.Pointers()).ReachedFromPath(from, path)) {
      foretold.insert(absl::StrCat(event.mount.mount_namespace, " ", event.path));
    }
    NSCTL_CHILD_EXPECT(mount("new", path.c_str(), "tmpfs", 0, nullptr) == 0);
    const World mounted = ReadWorld(namespaces);
    if (Missing(mounted, before) != foretold) {
      return absl::StrCat("mounted in ", ns, ": ", absl::StrJoin(Missing(mounted, before), ", "),
                          " but foretold ", absl::StrJoin(foretold, ", "));
    }
    const std::optional<MountRef> top = mounted.Find(ns, path);
    NSCTL_CHILD_EXPECT(top.has_value());
    foretold = {absl::StrCat(ns, " ", path)};
    for (const MountRef mount :
         PropagationGraph(mounted.Pointers()).UnmountedWith(*top, mounted.TreePointers())) {
      foretold.insert(
          absl::StrCat(mount.mount_namespace, " ", mounted.MountOf(mount).mount_point()));
    }
    NSCTL_CHILD_EXPECT(umount(path.c_str()) == 0);
    if (Missing(mounted, ReadWorld(namespaces)) != foretold) {
      return absl::StrCat("unmounted from ", ns, " but foretold ", absl::StrJoin(foretold, ", "));
    }
  }
  return "";
}

TEST(PropagationKernel, HappensAsForetold) {
  const testing::TestDirectory directory;
  const std::string& top = directory.path();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    std::vector<base::OwnedFd> namespaces;
    if (std::string failed = MakeNamespaces(top, &namespaces); !failed.empty()) return failed;
    for (const char* name : {"/a/x/y", "/b/y", "/b", "/a/z", "/c", "/a"}) {
      std::string failed = CheckPath(namespaces, top + name);
      if (!failed.empty()) return absl::StrCat(name, ": ", failed);
    }
    return "";
  });
}

// The last namespace has mounted something below what comes from the first.
TEST(PropagationKernel, SparesWhatHasMountsOfItsOwn) {
  const testing::TestDirectory directory;
  const std::string& top = directory.path();
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    std::vector<base::OwnedFd> namespaces;
    if (std::string failed = MakeNamespaces(top, &namespaces); !failed.empty()) return failed;
    const std::string path = top + "/a/z";
    NSCTL_CHILD_EXPECT(setns(namespaces[0].get(), CLONE_NEWNS) == 0);
    NSCTL_CHILD_EXPECT(mount("new", path.c_str(), "tmpfs", 0, nullptr) == 0);
    NSCTL_CHILD_EXPECT(mkdir((path + "/own").c_str(), 0755) == 0);
    NSCTL_CHILD_EXPECT(setns(namespaces[2].get(), CLONE_NEWNS) == 0);
    NSCTL_CHILD_EXPECT(mount("own", (path + "/own").c_str(), "tmpfs", 0, nullptr) == 0);
    NSCTL_CHILD_EXPECT(setns(namespaces[0].get(), CLONE_NEWNS) == 0);
    const World mounted = ReadWorld(namespaces);
    const std::optional<MountRef> first = mounted.Find(0, path);
    NSCTL_CHILD_EXPECT(first.has_value());
    std::multiset<std::string> foretold = {absl::StrCat("0 ", path)};
    for (const MountRef mount :
         PropagationGraph(mounted.Pointers()).UnmountedWith(*first, mounted.TreePointers())) {
      foretold.insert(
          absl::StrCat(mount.mount_namespace, " ", mounted.MountOf(mount).mount_point()));
    }

    NSCTL_CHILD_EXPECT(umount(path.c_str()) == 0);

    const std::multiset<std::string> gone = Missing(mounted, ReadWorld(namespaces));
    if (gone != foretold || gone.contains(absl::StrCat("2 ", path))) {
      return absl::StrCat("gone: ", absl::StrJoin(gone, ", "), " but foretold ",
                          absl::StrJoin(foretold, ", "));
    }
    return "";
  });
}

}  // namespace
}  // namespace nsctl::mounttree
