// Real mounts that hang, start daemons or forbid what others allow. Each test has a mount namespace
// of its own in a child.

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/root.h"
#include "procfsroot/run_in_child.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/silent_fuse.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoOf;

// Not in all versions of <sys/mount.h>.
constexpr unsigned long kMsNosymfollow = 256;

constexpr absl::string_view kLacking = "lacking: ";

// Runs `body` in a child with a mount namespace of its own; skips the test where the child says
// that something is lacking.
#define RUN_WITH_MOUNTS(...)                                                              \
  do {                                                                                    \
    const std::string nsctl_result_ = RunInChild(CLONE_NEWNS, __VA_ARGS__);               \
    if (absl::StartsWith(nsctl_result_, kLacking) || nsctl_result_ == "unshare: EPERM") { \
      GTEST_SKIP() << nsctl_result_;                                                      \
    }                                                                                     \
    EXPECT_EQ(nsctl_result_, "");                                                         \
  } while (false)

bool HasCode(const absl::Status& status, absl::StatusCode code) { return status.code() == code; }

// In a child: "" where `status` has the code, else what it is.
#define CHILD_EXPECT_CODE(expression, expected)                                         \
  do {                                                                                  \
    const absl::Status& nsctl_status_ = (expression);                                   \
    if (!HasCode(nsctl_status_, expected)) {                                            \
      return absl::StrCat(__LINE__, ": " #expression " is ", nsctl_status_.ToString()); \
    }                                                                                   \
  } while (false)
#define CHILD_EXPECT_ERRNO(expression, expected)                                        \
  do {                                                                                  \
    const absl::Status& nsctl_status_ = (expression);                                   \
    if (ErrnoOf(nsctl_status_) != (expected)) {                                         \
      return absl::StrCat(__LINE__, ": " #expression " is ", nsctl_status_.ToString()); \
    }                                                                                   \
  } while (false)

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// A FUSE mount whose server reads no request. Its end wakes up whoever waits for it.
class SilentFuse {
 public:
  explicit SilentFuse(const std::string& directory)
      : server_(open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
    if (!server_.ok()) return;
    const std::string options = absl::StrCat(
        "fd=", server_.get(), ",rootmode=40000,user_id=0,group_id=0,default_permissions");
    mounted_ = mount("fuse", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
  }
  bool mounted() const { return mounted_; }
  void End() { (void)server_.Close(); }

 private:
  base::OwnedFd server_;
  bool mounted_ = false;
};

TEST(SilentFuse, StopsNobodyAndIsLeftAloneAfterAFewTries) {
  TestTree tree({{'d', "mnt"}, {'f', "file", "content"}, {'l', "link", "mnt/x"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    SilentFuse fuse(tree.PathOf("mnt"));
    if (!fuse.mounted()) return absl::StrCat(kLacking, "a FUSE mount");
    const absl::Time begin = absl::Now();
    const absl::StatusOr<Root> root =
        Root::OfPath(tree.path(), {.timeout = absl::Milliseconds(500)});
    CHILD_EXPECT_CODE(root.status(), absl::StatusCode::kOk);

    CHILD_EXPECT_CODE(root->ReadFile("mnt/x", 10).status(), absl::StatusCode::kDeadlineExceeded);
    CHILD_EXPECT_CODE(root->ReadDir("mnt", 10).status(), absl::StatusCode::kDeadlineExceeded);
    CHILD_EXPECT_CODE(root->Stat("mnt").status(), absl::StatusCode::kDeadlineExceeded);
    CHILD_EXPECT_CODE(root->Resolve("link").status(), absl::StatusCode::kDeadlineExceeded);
    NSCTL_CHILD_EXPECT(StuckCalls() == 4);
    CHILD_EXPECT_CODE(root->Resolve("mnt/y").status(), absl::StatusCode::kUnavailable);
    CHILD_EXPECT_CODE(root->ReadDir("mnt", 10).status(), absl::StatusCode::kUnavailable);
    CHILD_EXPECT_CODE(root->ReadFile("file", 10).status(), absl::StatusCode::kOk);
    CHILD_EXPECT_CODE(root->ReadDir("/", 10).status(), absl::StatusCode::kOk);
    NSCTL_CHILD_EXPECT(absl::Now() - begin < absl::Seconds(20));

    fuse.End();
    NSCTL_CHILD_EXPECT(Await([] { return StuckCalls() == 0; }));
    // Linux 7 says ECONNREFUSED of a server that has never answered.
    const int error = ErrnoOf(root->Resolve("mnt/y").status());
    NSCTL_CHILD_EXPECT(error == ENOTCONN || error == ECONNREFUSED);
    return "";
  });
}

TEST(SilentFuse, AsARootIsGivenUp) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    SilentFuse fuse(tree.PathOf("mnt"));
    if (!fuse.mounted()) return absl::StrCat(kLacking, "a FUSE mount");
    CHILD_EXPECT_CODE(
        Root::OfPath(tree.PathOf("mnt"), {.timeout = absl::Milliseconds(50)}).status(),
        absl::StatusCode::kDeadlineExceeded);
    CHILD_EXPECT_CODE(
        Root::OfPath(tree.PathOf("mnt/x"), {.timeout = absl::Milliseconds(50)}).status(),
        absl::StatusCode::kDeadlineExceeded);
    fuse.End();
    NSCTL_CHILD_EXPECT(Await([] { return StuckCalls() == 0; }));
    return "";
  });
}

// An autofs mount. Its daemon is `process_group`, reads no request, and is not asked: the pipe
// tells.
class Autofs {
 public:
  Autofs(const std::string& directory, pid_t process_group, const char* kind) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    requests_ = base::OwnedFd(ends[0]);
    const base::OwnedFd kernel_end(ends[1]);
    const std::string options = absl::StrCat("fd=", kernel_end.get(), ",pgrp=", process_group,
                                             ",minproto=5,maxproto=5,", kind);
    mounted_ = mount("test", directory.c_str(), "autofs", 0, options.c_str()) == 0;
  }
  bool mounted() const { return mounted_; }
  bool WasAsked(int milliseconds) const {
    struct pollfd poll_fd = {.fd = requests_.get(), .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, milliseconds) == 1;
  }

 private:
  base::OwnedFd requests_;
  bool mounted_ = false;
};

TEST(Autofs, IsNeverStarted) {
  TestTree tree({{'d', "auto"}, {'l', "link", "auto/x"}, {'d', "d"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const pid_t daemon = getpgrp();
    NSCTL_CHILD_EXPECT(setpgid(0, 0) == 0);
    const Autofs autofs(tree.PathOf("auto"), daemon, "direct");
    if (!autofs.mounted()) return absl::StrCat(kLacking, "autofs in the kernel");
    for (const Backend backend : {Backend::kAuto, Backend::kWalker}) {
      const absl::StatusOr<Root> root =
          Root::OfPath(tree.path(), {.timeout = absl::Seconds(5), .backend = backend});
      CHILD_EXPECT_CODE(root.status(), absl::StatusCode::kOk);
      CHILD_EXPECT_CODE(root->Resolve("auto").status(), absl::StatusCode::kOk);
      CHILD_EXPECT_CODE(root->Resolve("auto/").status(), absl::StatusCode::kOk);
      CHILD_EXPECT_CODE(root->Resolve("d/../auto/../d").status(), absl::StatusCode::kOk);
      CHILD_EXPECT_CODE(root->Stat("auto").status(), absl::StatusCode::kOk);
      CHILD_EXPECT_CODE(root->ReadDir("/", 10).status(), absl::StatusCode::kOk);
      for (const char* const path : {"auto/x", "link", "auto/x/y", "/auto/./x"}) {
        CHILD_EXPECT_ERRNO(root->Resolve(path).status(), EREMOTE);
      }
      CHILD_EXPECT_ERRNO(root->ReadFile("link", 10).status(), EREMOTE);
      CHILD_EXPECT_ERRNO(root->ReadDir("auto", 10).status(), EREMOTE);
      CHILD_EXPECT_ERRNO(root->OpenParent("auto/x/y").status(), EREMOTE);
      const std::string message(root->Resolve("auto/x").status().message());
      NSCTL_CHILD_EXPECT(absl::EndsWith(
          message, "(EREMOTE) at component \"x\", an automount that nothing is mounted on yet"));
    }
    NSCTL_CHILD_EXPECT(!autofs.WasAsked(0));
    // It would have told: the kernel's own walk asks. It ends with the child.
    std::thread([path = tree.PathOf("auto/x")] { (void)access(path.c_str(), F_OK); }).detach();
    NSCTL_CHILD_EXPECT(autofs.WasAsked(30000));
    return "";
  });
}

TEST(Autofs, LetsThroughWhatIsMountedAlready) {
  TestTree tree({{'d', "auto"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const Autofs autofs(tree.PathOf("auto"), getpgrp(), "indirect");
    if (!autofs.mounted()) return absl::StrCat(kLacking, "autofs in the kernel");
    // As its daemon would.
    const std::string mounted = tree.PathOf("auto/mounted");
    NSCTL_CHILD_EXPECT(mkdir(mounted.c_str(), 0755) == 0);
    NSCTL_CHILD_EXPECT(mount("test", mounted.c_str(), "tmpfs", 0, nullptr) == 0);
    NSCTL_CHILD_EXPECT(mkdir(absl::StrCat(mounted, "/d").c_str(), 0755) == 0);
    NSCTL_CHILD_EXPECT(setpgid(0, 0) == 0);
    const absl::StatusOr<Root> root = Root::OfPath(tree.path());
    CHILD_EXPECT_CODE(root.status(), absl::StatusCode::kOk);

    CHILD_EXPECT_CODE(root->Resolve("auto/mounted/d").status(), absl::StatusCode::kOk);
    CHILD_EXPECT_ERRNO(root->Resolve("auto/other/d").status(), EREMOTE);
    CHILD_EXPECT_ERRNO(root->Resolve("auto/other").status(), EREMOTE);
    NSCTL_CHILD_EXPECT(!autofs.WasAsked(0));
    return "";
  });
}

// `error` from each back end for `path`; 0 for success.
std::string ExpectFromAll(const TestTree& tree, absl::string_view path, int error,
                          bool same_mount = false) {
  for (const Backend backend : {Backend::kAuto, Backend::kOpenat2, Backend::kWalker}) {
    const base::OwnedFd root(open(tree.path().c_str(), O_PATH | O_CLOEXEC), "root");
    const absl::Status status =
        Resolve(root, path, {.same_mount = same_mount, .backend = backend}).status();
    if (ErrnoOf(status) != error || status.ok() != (error == 0)) {
      return absl::StrCat(path, ", backend ", static_cast<int>(backend), ": ", status.ToString());
    }
  }
  return "";
}

TEST(MountFlags, ForbidLinksForAllBackEnds) {
  TestTree tree({{'d', "mnt"}, {'f', "file"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = tree.PathOf("mnt");
    if (mount("test", mnt.c_str(), "tmpfs", kMsNosymfollow, nullptr) != 0) {
      return absl::StrCat(kLacking, "nosymfollow (Linux 5.10)");
    }
    NSCTL_CHILD_EXPECT(symlink("../file", absl::StrCat(mnt, "/link").c_str()) == 0);
    return ExpectFromAll(tree, "mnt/link", ELOOP);
  });
}

TEST(MountFlags, AreAskedOfTheMountThatALinkIsOn) {
  TestTree tree({{'d', "mnt"}, {'d', "real"}, {'l', "link", "mnt/file"}, {'f', "file"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    // A bind mount of the same file system: crossed, and known as a mount of its own.
    NSCTL_CHILD_EXPECT(
        mount(tree.path().c_str(), tree.PathOf("mnt").c_str(), nullptr, MS_BIND, nullptr) == 0);
    std::string failure = ExpectFromAll(tree, "link", 0);
    if (failure.empty()) failure = ExpectFromAll(tree, "link", EXDEV, true);
    if (failure.empty()) failure = ExpectFromAll(tree, "mnt/../mnt/file", EXDEV, true);
    if (failure.empty()) failure = ExpectFromAll(tree, "mnt/../../file", 0);
    return failure;
  });
}

// Resolves `path` below `root` and says in one word where DisplayPath sees it.
std::string Displayed(const Root& root, const std::string& path) {
  const absl::StatusOr<base::OwnedFd> handle = root.Resolve(path);
  if (!handle.ok()) return handle.status().ToString();
  const absl::StatusOr<std::string> display = root.DisplayPath(*handle);
  return display.ok() ? *display : display.status().ToString();
}

TEST(DisplayPath, OfAMountIsItsMountPointWhateverBecameOfWhatIsMounted) {
  TestTree tree({{'d', "gone"},
                 {'d', "mnt"},
                 {'f', "etc/hosts.new", "new"},
                 {'f', "etc/hosts"},
                 {'f', "linked"},
                 {'f', "etc/linked"},
                 {'d', "q (deleted)"},
                 {'d', "q"},
                 {'d', "gone (deleted)"},
                 {'d', "on (deleted)"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const auto bind = [&tree](const char* from, const char* to) {
      return mount(tree.PathOf(from).c_str(), tree.PathOf(to).c_str(), nullptr, MS_BIND, nullptr) ==
             0;
    };
    NSCTL_CHILD_EXPECT(bind("gone", "mnt"));
    NSCTL_CHILD_EXPECT(bind("gone (deleted)", "on (deleted)"));
    NSCTL_CHILD_EXPECT(bind("etc/hosts.new", "etc/hosts"));
    // Removed under one of its names only.
    NSCTL_CHILD_EXPECT(link(tree.PathOf("linked").c_str(), tree.PathOf("other").c_str()) == 0);
    NSCTL_CHILD_EXPECT(bind("linked", "etc/linked"));
    NSCTL_CHILD_EXPECT(rmdir(tree.PathOf("gone").c_str()) == 0);
    NSCTL_CHILD_EXPECT(rmdir(tree.PathOf("gone (deleted)").c_str()) == 0);
    NSCTL_CHILD_EXPECT(unlink(tree.PathOf("etc/hosts.new").c_str()) == 0);
    NSCTL_CHILD_EXPECT(unlink(tree.PathOf("linked").c_str()) == 0);
    for (const Backend backend : {Backend::kAuto, Backend::kWalker}) {
      const absl::StatusOr<Root> root =
          Root::OfPath(tree.path(), {.run_inline = true, .backend = backend});
      NSCTL_CHILD_EXPECT(root.ok());
      for (const std::string path :
           {"/mnt", "/etc/hosts", "/etc/linked", "/q (deleted)", "/q", "/on (deleted)", "/other"}) {
        const std::string displayed = Displayed(*root, path);
        if (displayed != path) return absl::StrCat(path, " is displayed as ", displayed);
      }
    }
    return "";
  });
}

TEST(ProtectedSymlinks, AreProtectedByAllBackEnds) {
  TestTree tree({{'d', "shared"},
                 {'f', "file"},
                 {'d', "dir/sub"},
                 {'l', "shared/link", "/file"},
                 {'l', "shared/dir", "/dir"},
                 {'l', "outer", "shared/link"}});
  ASSERT_EQ(chmod(tree.PathOf("shared").c_str(), 01777), 0);
  for (const char* const link : {"shared/link", "shared/dir"}) {
    if (lchown(tree.PathOf(link).c_str(), 4321, 4321) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  }
  base::OwnedFd setting(open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC));
  char value = '0';
  ASSERT_EQ(read(setting.get(), &value, 1), 1);
  const int expected = value == '0' ? 0 : EACCES;

  EXPECT_EQ(ExpectFromAll(tree, "shared/link", expected), "");
  EXPECT_EQ(ExpectFromAll(tree, "outer", expected), "");
  EXPECT_EQ(ExpectFromAll(tree, "shared/dir/", expected), "");
  EXPECT_EQ(ExpectFromAll(tree, "shared/dir/sub", 0), "") << "in the middle it may be followed";
}

// From now on openat2 fails with `error` in this process.
bool ForbidOpenat2(unsigned int error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = 4, .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(Seccomp, MayForbidOpenat2AtAnyTime) {
  TestTree tree({{'f', "a/file"}, {'l', "link", "/a/file"}});
  for (const int error : {EPERM, ENOSYS}) {
    EXPECT_EQ(RunInChild(
                  0,
                  [&tree, error]() -> std::string {
                    const base::OwnedFd root(open(tree.path().c_str(), O_PATH | O_CLOEXEC), "root");
                    CHILD_EXPECT_CODE(Resolve(root, "link").status(), absl::StatusCode::kOk);
                    NSCTL_CHILD_EXPECT(ForbidOpenat2(static_cast<unsigned int>(error)));

                    CHILD_EXPECT_CODE(Resolve(root, "link").status(), absl::StatusCode::kOk);
                    CHILD_EXPECT_ERRNO(Resolve(root, "none").status(), ENOENT);
                    CHILD_EXPECT_ERRNO(
                        Resolve(root, "link", {.backend = Backend::kOpenat2}).status(), error);
                    return "";
                  }),
              "");
  }
}

// What file permissions forbid is forbidden alike.
TEST(Permissions, HoldForAllBackEnds) {
  TestTree tree({{'d', "shut/d"}, {'f', "shut/file"}, {'d', "open"}, {'l', "link", "shut/d"}});
  ASSERT_EQ(chmod(tree.PathOf("shut").c_str(), 0600), 0);
  ASSERT_EQ(chmod(tree.path().c_str(), 0755), 0);

  EXPECT_EQ(
      RunInChild(
          0,
          [&tree]() -> std::string {
            NSCTL_CHILD_EXPECT(setgid(4321) == 0 || errno == EPERM);
            NSCTL_CHILD_EXPECT(geteuid() != 0 || setuid(4321) == 0);
            struct Row {
              const char* path;
              int error;
            };
            for (const Row& row : std::vector<Row>{{"shut", 0},
                                                   {"shut/", 0},
                                                   {"shut/d", EACCES},
                                                   {"shut/.", EACCES},
                                                   {"shut/..", EACCES},
                                                   {"shut/../open", EACCES},
                                                   {"link", EACCES},
                                                   {"open/..", 0}}) {
              for (const Backend backend : {Backend::kAuto, Backend::kOpenat2, Backend::kWalker}) {
                const absl::Status status =
                    Resolve(tree.root(), row.path, {.backend = backend}).status();
                if (ErrnoOf(status) != row.error) {
                  return absl::StrCat(row.path, ", backend ", static_cast<int>(backend), ": ",
                                      status.ToString());
                }
              }
            }
            return "";
          }),
      "");
  ASSERT_EQ(chmod(tree.PathOf("shut").c_str(), 0700), 0);
}

// It tells nobody but its own user namespace anything, and lets nobody else in.
TEST(ForeignFuse, RefusesAsTheKernelDoes) {
  TestTree tree({{'d', "mnt"}});

  RUN_WITH_MOUNTS([&tree]() -> std::string {
    const std::string mnt = absl::StrCat(tree.path(), "/mnt");
    absl::StatusOr<base::Pipe> pipe = base::MakePipe();
    if (!pipe.ok()) return std::string(pipe.status().message());
    const pid_t owner = fork();
    if (owner == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      char told = 'n';
      std::unique_ptr<testing::SilentFuse> fuse;
      if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        const base::OwnedFd map(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
        (void)!write(map.get(), "0 0 1", 5);
        fuse = testing::SilentFuse::Mount(mnt).value_or(nullptr);
        if (fuse != nullptr) told = 'y';
      }
      (void)!write(pipe->write_end.get(), &told, 1);
      pause();
    }
    char told = 0;
    NSCTL_CHILD_EXPECT(read(pipe->read_end.get(), &told, 1) == 1);
    if (told != 'y') return absl::StrCat(kLacking, "FUSE in a user namespace");
    for (const Backend backend : {Backend::kAuto, Backend::kWalker}) {
      const absl::StatusOr<Root> root =
          Root::OfPath(absl::StrCat("/proc/", owner, "/root", tree.path()), {.backend = backend});
      NSCTL_CHILD_EXPECT(root.ok());
      CHILD_EXPECT_ERRNO(root->Resolve("mnt/d/file").status(), EACCES);
      CHILD_EXPECT_ERRNO(root->ReadDir("mnt/", 100).status(), EACCES);
    }
    kill(owner, SIGKILL);
    waitpid(owner, nullptr, 0);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::procfsroot
