// Real namespaces for tests: a chain of child processes in new namespaces of any of the eight
// types.
//
//   NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
//                                  {{.namespaces = CLONE_NEWUSER | CLONE_NEWPID},
//                                   {.namespaces = CLONE_NEWNET, .name = "a b)"}});
//   EXPECT_EQ(dir.ReadNamespaceLinks(), fixture->processes()[1].namespaces);
//
// The calling process enters nothing itself. Needs CAP_SYS_ADMIN, and a test tagged "kernel":
// Bazel's sandbox has namespaces of its own.

#ifndef NSCTL_TESTING_NAMESPACE_FIXTURE_H_
#define NSCTL_TESTING_NAMESPACE_FIXTURE_H_

#include <sched.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

// linux/sched.h; the C library's header has it only lately.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace nsctl::testing {

// What one process is to be. Steps are taken in the order of the fields.
struct ProcessSpec {
  // CLONE_NEW*: it is in new namespaces of these types; a new user namespace owns the others.
  int namespaces = 0;
  // The maps of a new user namespace as the kernel takes them, the outer side as seen by the
  // process before. They must map 0, which the process becomes. Empty setgroups leaves the kernel's
  // "allow".
  std::string uid_map = "0 0 1";
  std::string gid_map = "0 0 1";
  std::string setgroups = "";
  // What is written to the timens_offsets of a new time namespace: "monotonic 86400 0".
  std::string clock_offsets = "";
  // Any bytes but NUL; the kernel keeps 15. Empty: the test's own name.
  std::string name = "";
  // More threads, at most kMaxThreads, each in new namespaces of these types (CLONE_NEW* of mnt,
  // cgroup, uts, ipc and net; 0 for none).
  std::vector<int> threads = {};
  // CLONE_NEWPID, CLONE_NEWTIME: new namespaces for its children alone. The next process of the
  // chain is such a child.
  int for_children = 0;
  // Where it changes its root to. Empty: nowhere.
  std::string root = "";
  // Runs in the process and returns 0 or an errno. As after fork(2) in a program with threads:
  // system calls alone.
  std::function<int()> setup = nullptr;
  // The main thread ends, once it has reported, the others stay. Only for the last process of the
  // chain, with threads.
  bool zombie_leader = false;
};

struct RealThread {
  base::Tid tid;
  procfsroot::NamespaceLinks namespaces;
};

// A process as it saw itself before it came to rest.
struct RealProcess {
  // Its number in /proc.
  base::Pid pid;
  // What it read below /proc/self/ns.
  procfsroot::NamespaceLinks namespaces;
  // In the order of the spec; what each read below /proc/thread-self/ns.
  std::vector<RealThread> threads;
};

class NamespaceFixture {
 public:
  static constexpr size_t kMaxProcesses = 40;
  static constexpr size_t kMaxThreads = 8;

  // Starts a chain: the first process is a child of this one, each other of the one before. Returns
  // once all have reported and rest. They end with the fixture, or with the calling thread.
  // Errors: PERMISSION_DENIED naming CAP_SYS_ADMIN; those of the system call that failed, named;
  // DEADLINE_EXCEEDED.
  static absl::StatusOr<std::unique_ptr<NamespaceFixture>> Start(
      const std::vector<ProcessSpec>& chain);

  NamespaceFixture(const NamespaceFixture&) = delete;
  NamespaceFixture& operator=(const NamespaceFixture&) = delete;
  // Kills the chain, by pidfd, and waits until nothing of it is left.
  ~NamespaceFixture();

  // In the order of the chain.
  const std::vector<RealProcess>& processes() const { return processes_; }
  const RealProcess& last() const { return processes_.back(); }

 private:
  explicit NamespaceFixture(pid_t first) : first_(first) {}

  // A child of this process; the others are its descendants.
  pid_t first_;
  std::vector<RealProcess> processes_;
  std::vector<base::OwnedFd> pidfds_;
};

// True where `status` of Start() says that the machine, not the test, is the reason: a missing
// capability, a kernel without such namespaces, or a limit on them.
bool CannotMakeNamespaces(const absl::Status& status);

}  // namespace nsctl::testing

// Starts a chain and gives it to `declaration`; skips the test where the machine does not allow it.
#define NSCTL_START_NAMESPACES_OR_SKIP(declaration, ...)                                  \
  auto NSCTL_TESTING_CONCAT_(nsctl_fixture_, __LINE__) =                                  \
      ::nsctl::testing::NamespaceFixture::Start(__VA_ARGS__);                             \
  if (::nsctl::testing::CannotMakeNamespaces(                                             \
          NSCTL_TESTING_CONCAT_(nsctl_fixture_, __LINE__).status())) {                    \
    GTEST_SKIP() << NSCTL_TESTING_CONCAT_(nsctl_fixture_, __LINE__).status();             \
  }                                                                                       \
  ASSERT_THAT(NSCTL_TESTING_CONCAT_(nsctl_fixture_, __LINE__), ::nsctl::testing::IsOk()); \
  declaration = *std::move(NSCTL_TESTING_CONCAT_(nsctl_fixture_, __LINE__))

#endif  // NSCTL_TESTING_NAMESPACE_FIXTURE_H_
