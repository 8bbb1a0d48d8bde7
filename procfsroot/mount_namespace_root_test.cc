#include "procfsroot/mount_namespace_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "procfsroot/run_in_child.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using Entry = MountNamespaceOptions::Entry;
using testing::HasErrno;
using testing::StatusIs;

#define RUN_WITH_MOUNTS(...) NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, __VA_ARGS__)

#define CHILD_EXPECT_OK(result)                                                            \
  do {                                                                                     \
    if (!(result).ok()) return absl::StrCat(__LINE__, ": ", (result).status().ToString()); \
  } while (false)

// The namespaces, root and current directory of a thread; false where it ends meanwhile.
bool AddPlaceOf(const std::filesystem::path& task, std::vector<std::string>* links) {
  std::vector<std::filesystem::path> paths = {task / "root", task / "cwd"};
  std::error_code error;
  for (std::filesystem::directory_iterator entry(task / "ns", error), end; entry != end && !error;
       entry.increment(error)) {
    paths.push_back(entry->path());
  }
  for (const std::filesystem::path& path : paths) {
    if (error) return false;
    links->push_back(absl::StrCat(path.filename().string(), " -> ",
                                  std::filesystem::read_symlink(path, error).string()));
  }
  return !error;
}

// Those of every thread of this process.
std::string OwnPlace() {
  std::vector<std::string> links;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::vector<std::string> more;
    if (AddPlaceOf(task.path(), &more)) links.insert(links.end(), more.begin(), more.end());
  }
  std::sort(links.begin(), links.end());
  links.erase(std::unique(links.begin(), links.end()), links.end());
  return absl::StrJoin(links, "\n");
}

// A thread that was elsewhere may still be on its way to its end.
bool IsBackAt(const std::string& place) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (OwnPlace() != place) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// A child that did `setup` in namespaces of its own and stands still.
class Inhabitant {
 public:
  Inhabitant(int clone_flags, const std::function<bool()>& setup) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    const base::OwnedFd from_child(ends[0]);
    base::OwnedFd to_parent(ends[1]);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool good = unshare(clone_flags) == 0 &&
                        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && setup();
      const char sign = good ? 'y' : 'n';
      if (write(to_parent.get(), &sign, 1) != 1) _exit(1);
      while (true) pause();
    }
    (void)to_parent.Close();
    char sign = 'n';
    ready_ = read(from_child.get(), &sign, 1) == 1 && sign == 'y';
  }
  ~Inhabitant() { End(); }

  bool ready() const { return ready_; }
  base::Pid pid() const { return {pid_}; }
  std::string NamespacePath(const std::string& name = "mnt") const {
    return absl::StrCat("/proc/", pid_, "/ns/", name);
  }
  base::OwnedFd OpenNamespace() const {
    return base::OwnedFd(open(NamespacePath().c_str(), O_RDONLY | O_CLOEXEC), NamespacePath());
  }
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

// A file system of its own at `directory` that holds `text` as the file "marker".
bool MountMarker(const std::string& directory, const std::string& text) {
  if (mount("test", directory.c_str(), "tmpfs", 0, nullptr) != 0) return false;
  const base::OwnedFd file(
      open(absl::StrCat(directory, "/marker").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  return base::WriteAll(file, text).ok();
}

bool MakeFile(const std::string& path) {
  return base::OwnedFd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)).ok();
}

bool BindMount(const std::string& from, const std::string& to) {
  return mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

// What the marker at `directory` says, or why it does not.
std::string Marker(const absl::StatusOr<MountNamespaceRoot>& there, const std::string& directory) {
  if (!there.ok()) return there.status().ToString();
  const absl::StatusOr<std::string> text =
      there->root().ReadFile(absl::StrCat(directory, "/marker"), 100);
  return text.ok() ? *text : text.status().ToString();
}

#define CHILD_EXPECT_MARKER(there, directory, text)                                  \
  do {                                                                               \
    const std::string nsctl_marker_ = Marker(there, directory);                      \
    if (nsctl_marker_ != (text)) return absl::StrCat(__LINE__, ": ", nsctl_marker_); \
  } while (false)

// The mountinfo of the namespace of `inhabitant`, read inside, has `line` in it.
#define CHILD_EXPECT_MOUNTINFO(inhabitant, entry_way, line)                                     \
  do {                                                                                          \
    const absl::StatusOr<Procfs> nsctl_procfs_ = Procfs::Live();                                \
    CHILD_EXPECT_OK(nsctl_procfs_);                                                             \
    const absl::StatusOr<std::string> nsctl_text_ = ReadMountinfoInside(                        \
        *nsctl_procfs_, (inhabitant).OpenNamespace(), size_t{1} << 20, {.entry = (entry_way)}); \
    CHILD_EXPECT_OK(nsctl_text_);                                                               \
    if (!absl::StrContains(*nsctl_text_, line)) return *nsctl_text_;                            \
  } while (false)

TEST(MountNamespaceRoot, OfAProcess) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    const Inhabitant other(CLONE_NEWNS, [&mnt] { return MountMarker(mnt, "one"); });
    NSCTL_CHILD_EXPECT(other.ready());
    const absl::StatusOr<Procfs> procfs = Procfs::Live();
    CHILD_EXPECT_OK(procfs);
    const std::string place = OwnPlace();
    const testing::Resources resources = testing::CurrentResources();
    for (const Entry entry : {Entry::kAuto, Entry::kThread, Entry::kChild}) {
      const absl::StatusOr<MountNamespaceRoot> there =
          MountNamespaceRoot::OfProcess(*procfs, other.pid(), std::nullopt, {.entry = entry});
      CHILD_EXPECT_MARKER(there, mnt, "one");
      if (!IsBackAt(place)) return absl::StrCat("moved:\n", OwnPlace());
    }
    return testing::AwaitNoLeaks(resources, absl::Seconds(30));
  });
}

TEST(MountNamespaceRoot, OfABindMountWithoutAProcess) {
  TestTree tree({{'d', "mnt"}, {'f', "pinned"}, {'l', "link", "pinned"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    Inhabitant other(CLONE_NEWNS, [&mnt] { return MountMarker(mnt, "pinned"); });
    NSCTL_CHILD_EXPECT(other.ready());
    NSCTL_CHILD_EXPECT(BindMount(other.NamespacePath(), tree.PathOf("pinned")));
    other.End();
    const std::string place = OwnPlace();
    const testing::Resources resources = testing::CurrentResources();
    for (const char* const reference : {"pinned", "link"}) {
      CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({tree.PathOf(reference)}), mnt, "pinned");
    }
    if (!IsBackAt(place)) return absl::StrCat("moved:\n", OwnPlace());
    return testing::AwaitNoLeaks(resources, absl::Seconds(30));
  });
}

TEST(MountNamespaceRoot, AtTheEndOfAChain) {
  TestTree tree({{'d', "mnt"}, {'f', "pinned"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    Inhabitant outer(CLONE_NEWNS, [&mnt] {
      const std::string inner_pin = absl::StrCat(mnt, "/inner");
      if (!MountMarker(mnt, "outer") || !MakeFile(inner_pin)) return false;
      Inhabitant inner(CLONE_NEWNS, [&mnt] { return MountMarker(mnt, "inner"); });
      return inner.ready() && BindMount(inner.NamespacePath(), inner_pin);
    });
    NSCTL_CHILD_EXPECT(outer.ready());
    NSCTL_CHILD_EXPECT(BindMount(outer.NamespacePath(), tree.PathOf("pinned")));
    outer.End();
    const std::string place = OwnPlace();
    const testing::Resources resources = testing::CurrentResources();
    const std::vector<std::string> chain = {tree.PathOf("pinned"), absl::StrCat(mnt, "/inner")};
    CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({chain[0]}), mnt, "outer");
    CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain(chain), mnt, "inner");
    if (!IsBackAt(place)) return absl::StrCat("moved:\n", OwnPlace());
    return testing::AwaitNoLeaks(resources, absl::Seconds(30));
  });
}

// The namespace that a process has open is not the one that it is in.
TEST(MountNamespaceRoot, OfADescriptorOfAProcess) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    Inhabitant other(CLONE_NEWNS, [&mnt] { return MountMarker(mnt, "held"); });
    NSCTL_CHILD_EXPECT(other.ready());
    const base::OwnedFd held = other.OpenNamespace();
    const std::string in_ns = absl::StrCat("/proc/", getpid(), "/ns/mnt");
    const std::string in_fd = absl::StrCat("/proc/", getpid(), "/fd/", held.get());
    const std::string self = absl::StrCat("/proc/self/fd/", held.get());
    CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({other.NamespacePath()}), mnt, "held");
    other.End();
    CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({in_fd}), mnt, "held");
    CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({self}), mnt, "held");
    const absl::StatusOr<MountNamespaceRoot> own = MountNamespaceRoot::OfChain({in_ns});
    CHILD_EXPECT_OK(own);
    NSCTL_CHILD_EXPECT(base::ErrnoOf(own->root().Stat(mnt + "/marker").status()) == ENOENT);
    return "";
  });
}

TEST(MountNamespaceRoot, OwnedByAChildUserNamespace) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    const Inhabitant other(CLONE_NEWUSER | CLONE_NEWNS,
                           [&mnt] { return MountMarker(mnt, "user"); });
    if (!other.ready()) return "";
    const std::string place = OwnPlace();
    const testing::Resources resources = testing::CurrentResources();
    for (const Entry entry : {Entry::kAuto, Entry::kThread, Entry::kChild}) {
      CHILD_EXPECT_MARKER(MountNamespaceRoot::OfChain({other.NamespacePath()}, {.entry = entry}),
                          mnt, "user");
      CHILD_EXPECT_MOUNTINFO(other, entry, absl::StrCat(" / ", mnt, " rw,"));
    }
    if (!IsBackAt(place)) return absl::StrCat("moved:\n", OwnPlace());
    return testing::AwaitNoLeaks(resources, absl::Seconds(30));
  });
}

// Without any capability a thread may not go there; a child that joins the user namespace may.
TEST(MountNamespaceRoot, OfTheCallersOwnUserNamespaceWithoutPrivileges) {
  TestTree tree({{'d', "mnt"}});
  ASSERT_EQ(chmod(tree.path().c_str(), 0755), 0);

  const std::string result = RunInChild(0, [&tree]() -> std::string {
    if (geteuid() == 0) NSCTL_CHILD_EXPECT(setgid(4321) == 0 && setuid(4321) == 0);
    // Else its own files below /proc would be root's.
    NSCTL_CHILD_EXPECT(prctl(PR_SET_DUMPABLE, 1) == 0);
    const std::string mnt = tree.PathOf("mnt");
    const Inhabitant other(CLONE_NEWUSER | CLONE_NEWNS, [&mnt] {
      return mount("test", mnt.c_str(), "tmpfs", 0, "mode=0123") == 0;
    });
    if (!other.ready()) return "skip";
    const std::string place = OwnPlace();
    const testing::Resources resources = testing::CurrentResources();
    const auto enter = [&other](Entry entry) {
      return MountNamespaceRoot::OfNamespace(other.OpenNamespace(), {.entry = entry});
    };
    NSCTL_CHILD_EXPECT(base::ErrnoOf(enter(Entry::kThread).status()) == EPERM);
    {
      const absl::StatusOr<MountNamespaceRoot> there = enter(Entry::kAuto);
      CHILD_EXPECT_OK(there);
      const absl::StatusOr<struct statx> status = there->root().Stat(mnt);
      CHILD_EXPECT_OK(status);
      NSCTL_CHILD_EXPECT((status->stx_mode & 0777) == 0123);
      CHILD_EXPECT_MOUNTINFO(other, Entry::kAuto, absl::StrCat(" / ", mnt, " rw,"));
    }
    // The caller's own is out of reach either way.
    const absl::StatusOr<MountNamespaceRoot> own =
        MountNamespaceRoot::OfChain({"/proc/self/ns/mnt"});
    NSCTL_CHILD_EXPECT(base::ErrnoOf(own.status()) == EPERM);
    if (!IsBackAt(place)) return absl::StrCat("moved:\n", OwnPlace());
    return testing::AwaitNoLeaks(resources, absl::Seconds(30));
  });

  if (result == "skip") GTEST_SKIP() << "needs user namespaces for everybody";
  EXPECT_EQ(result, "");
}

TEST(MountNamespaceRoot, KeepsTheNamespaceTogether) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    Inhabitant other(CLONE_NEWNS, [&mnt] { return MountMarker(mnt, "kept"); });
    NSCTL_CHILD_EXPECT(other.ready());
    const absl::StatusOr<MountNamespaceRoot> there =
        MountNamespaceRoot::OfChain({other.NamespacePath()});
    CHILD_EXPECT_OK(there);
    other.End();
    CHILD_EXPECT_MARKER(there, mnt, "kept");
    return "";
  });
}

TEST(MountNamespaceRoot, ReadsNoMoreMountinfoThanAllowed) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_TRUE(procfs.ok());
  const base::OwnedFd self(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  const absl::StatusOr<std::string> text = ReadMountinfoInside(*procfs, self, 10);
  if (base::ErrnoOf(text.status()) == EPERM) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  EXPECT_THAT(text, StatusIs(absl::StatusCode::kResourceExhausted));
  const base::OwnedFd other(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(ReadMountinfoInside(*procfs, other, 10), HasErrno(EINVAL));
}

TEST(MountNamespaceRoot, SaysWhatAReferenceIsNot) {
  TestTree tree({{'f', "file"}, {'l', "link", "/proc/self/ns/mnt"}});

  EXPECT_THAT(MountNamespaceRoot::OfChain({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(MountNamespaceRoot::OfChain({tree.PathOf("none")}), HasErrno(ENOENT));
  EXPECT_THAT(MountNamespaceRoot::OfChain({tree.PathOf("file")}), HasErrno(EINVAL));
  EXPECT_THAT(MountNamespaceRoot::OfChain({"/proc/self/ns/net"}), HasErrno(EINVAL));
  EXPECT_THAT(MountNamespaceRoot::OfChain({"/proc/self/exe"}), HasErrno(EINVAL));
  EXPECT_THAT(MountNamespaceRoot::OfChain({"/proc/self/fd/99999"}), HasErrno(ENOENT));
  EXPECT_THAT(MountNamespaceRoot::OfChain({tree.PathOf("link")}), HasErrno(ELOOP));
  EXPECT_THAT(MountNamespaceRoot::OfNamespace(
                  base::OwnedFd(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), "uts")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "use as a mount namespace uts: Invalid argument (EINVAL)"));
}

}  // namespace
}  // namespace nsctl::procfsroot
