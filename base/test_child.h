// A child process in namespaces of its own, for tests of kernel interfaces.
//
//   absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET);
//   NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
//   ASSERT_THAT(child, IsOk());
//   ... look at child->pid() ...
//
// The child stands still until it is stopped, and dies with the test at the latest.

#ifndef NSCTL_BASE_TEST_CHILD_H_
#define NSCTL_BASE_TEST_CHILD_H_

#include <sys/types.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gtest/gtest.h"

namespace nsctl::base {

class TestChild {
 public:
  // Makes a child in new namespaces of the kinds in `clone_flags` (CLONE_NEW*), whose mounts do not
  // propagate to the test's, and runs `setup` in it, which returns an errno or 0. `setup` runs like
  // code after fork(2) in a program with threads: system calls alone.
  //
  // Errors: those of clone(2), and what `setup` returns.
  static absl::StatusOr<TestChild> Start(int clone_flags, absl::FunctionRef<int()> setup);
  static absl::StatusOr<TestChild> Start(int clone_flags);

  TestChild(TestChild&& other) noexcept;
  TestChild& operator=(TestChild&& other) = delete;
  ~TestChild() { Stop(); }

  Pid pid() const { return Pid{pid_}; }

  // Opens the child's entry `name` below /proc, such as "ns/net".
  absl::StatusOr<OwnedFd> Open(const std::string& name) const;
  absl::StatusOr<OwnedFd> OpenNamespace(NamespaceType type) const;

  // Ends the child and waits for its end.
  void Stop();

 private:
  explicit TestChild(pid_t pid) : pid_(pid) {}

  // 0 once the child was waited for.
  pid_t pid_;
};

}  // namespace nsctl::base

// Skips the test where `status` says that the kernel lacks an interface or refuses it.
#define NSCTL_SKIP_IF_LACKING(status, what)                                                        \
  do {                                                                                             \
    if (const absl::Status& nsctl_lacking_ = (status);                                             \
        ::nsctl::base::IsDenied(nsctl_lacking_) || ::nsctl::base::IsUnsupported(nsctl_lacking_)) { \
      GTEST_SKIP() << "needs " << (what) << ": " << nsctl_lacking_.message();                      \
    }                                                                                              \
  } while (false)

#endif  // NSCTL_BASE_TEST_CHILD_H_
