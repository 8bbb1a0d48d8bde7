// What a procfs has of this process, which reads it, is no part of another root.

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/run_in_child.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

class PathResolverReader : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(All, PathResolverReader,
                         ::testing::Values(Backend::kAuto, Backend::kOpenat2, Backend::kWalker));

// Links of procfs that are about whoever reads them: here this process, and nothing of the root.
TEST_P(PathResolverReader, RefusesWhatAProcfsHasOfItsReader) {
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  const base::OwnedFd procfs(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "/proc");
  const std::string pid = absl::StrCat(getpid());
  struct Case {
    std::string path;
    std::string component;
  };
  const Case cases[] = {
      {"self/environ", "self"},
      {"self/", "self"},
      {"self/.", "self"},
      {"self/task/" + pid + "/status", "self"},
      {"self/../version", "self"},
      {"thread-self/environ", "thread-self"},
      {"thread-self/../../environ", "thread-self"},
      {"mounts", "mounts"},
      {"net/dev", "net"},
      {pid, pid},
      {pid + "/environ", pid},
      {"sys/../" + pid + "/environ", pid},
  };
  for (const bool is_no_procfs : {false, true}) {
    ResolveOptions options = ResolveOptions{.backend = GetParam()};
    options.root_is_no_procfs = is_no_procfs;
    for (const Case& c : cases) {
      SCOPED_TRACE(c.path);
      const auto refused =
          StatusIs(absl::StatusCode::kUnknown,
                   HasSubstr(absl::StrCat("Leads to the reader itself (ELOOP) at component \"",
                                          c.component, "\", which means this process")));
      EXPECT_THAT(Resolve(root, "/proc/" + c.path, options), refused);
      EXPECT_THAT(Resolve(procfs, c.path, ResolveOptions{.backend = GetParam()}), refused);
    }
    EXPECT_THAT(Resolve(root, "/proc/self", options), HasErrno(ELOOP));
    EXPECT_THAT(Resolve(root, absl::StrCat("/proc/", getppid(), "/status"), options), IsOk());
    EXPECT_THAT(Resolve(root, "/proc/version", options), IsOk());
    EXPECT_THAT(Resolve(root, "/proc/self/none", options), HasErrno(ENOENT));
    // What is not of that procfs is the same for everybody.
    EXPECT_THAT(Resolve(root, "/proc/self/../../etc/passwd", options), IsOk());
    // The link itself.
    options.follow_last = false;
    EXPECT_THAT(Resolve(root, "/proc/self", options), IsOk());
    EXPECT_THAT(Resolve(root, "/proc/thread-self", options), IsOk());
    EXPECT_THAT(Resolve(root, "/proc/self/comm", options), HasErrno(ELOOP));
  }
}

TEST_P(PathResolverReader, RefusesTheReaderBehindLinksAndBindMounts) {
  TestTree tree({{'d', "proc"},
                 {'d', "again"},
                 {'l', "conf", "/proc/self/environ"},
                 {'l', "on", "conf"},
                 {'l', "up", "../../proc/thread-self/status"},
                 {'l', "dir", "proc"},
                 {'l', "number", absl::StrCat("/proc/", getppid(), "/comm")}});
  const Backend backend = GetParam();

  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&tree, backend]() -> std::string {
    NSCTL_CHILD_EXPECT(mount("proc", tree.PathOf("proc").c_str(), "proc", 0, nullptr) == 0);
    NSCTL_CHILD_EXPECT(mount(tree.PathOf("proc").c_str(), tree.PathOf("again").c_str(), nullptr,
                             MS_BIND, nullptr) == 0);
    const base::OwnedFd root(open(tree.path().c_str(), O_PATH | O_CLOEXEC), "root");
    // A thread has a directory of its own, which is not listed.
    std::promise<pid_t> tid;
    std::promise<void> done;
    std::thread thread([&tid, &done] {
      tid.set_value(gettid());
      done.get_future().wait();
    });
    const std::string number = absl::StrCat("dir/", tid.get_future().get(), "/environ");
    std::string failures;
    for (const bool is_no_procfs : {false, true}) {
      const ResolveOptions options = {.root_is_no_procfs = is_no_procfs, .backend = backend};
      const auto error_of = [&](const std::string& path) {
        return base::ErrnoOf(Resolve(root, path, options).status());
      };
      for (const std::string& path :
           {std::string("conf"), std::string("on"), std::string("up"), std::string("dir/self/stat"),
            std::string("again/self/environ"), absl::StrCat("dir/", getpid(), "/environ"),
            absl::StrCat("again/", getpid()), number}) {
        if (error_of(path) != ELOOP) absl::StrAppend(&failures, path, " was not refused; ");
      }
      for (const std::string path : {"number", "dir/version", "dir/sys/kernel/ostype"}) {
        if (error_of(path) != 0) absl::StrAppend(&failures, path, " was refused; ");
      }
    }
    done.set_value();
    thread.join();
    return failures;
  });
}

// Whoever exchanges the link while it is resolved wins nothing: what counts is where the descriptor
// that is handed out was found.
TEST_P(PathResolverReader, RefusesTheReaderBehindALinkThatIsExchanged) {
  TestTree tree({{'d', "proc"}, {'l', "conf", "/proc/self/stat"}, {'l', "other", "/proc/version"}});
  const Backend backend = GetParam();

  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&tree, backend]() -> std::string {
    NSCTL_CHILD_EXPECT(mount("proc", tree.PathOf("proc").c_str(), "proc", 0, nullptr) == 0);
    const base::OwnedFd root(open(tree.path().c_str(), O_PATH | O_CLOEXEC), "root");
    const std::string version = IdentityOf(tree.PathOf("proc/version"));
    std::atomic<bool> stop = false;
    std::thread exchanger([&] {
      while (!stop) renameat2(root.get(), "conf", root.get(), "other", RENAME_EXCHANGE);
    });
    std::string failures;
    for (int i = 0; i < 2000 && failures.empty(); ++i) {
      const absl::StatusOr<base::OwnedFd> found =
          Resolve(root, "conf", {.root_is_no_procfs = true, .backend = backend});
      if (found.ok() && IdentityOf(*found) != version) failures = "led to the reader";
    }
    stop = true;
    exchanger.join();
    return failures;
  });
}

}  // namespace
}  // namespace nsctl::procfsroot
