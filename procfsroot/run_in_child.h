// Runs a piece of a test in a child process with namespaces of its own, so that mounts and whatever
// else it does end with it.

#ifndef NSCTL_PROCFSROOT_RUN_IN_CHILD_H_
#define NSCTL_PROCFSROOT_RUN_IN_CHILD_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"

namespace nsctl::procfsroot {

// Forks, moves the child into new namespaces of the kinds in `clone_flags` (with CLONE_NEWNS its
// mounts are private and it stays on one CPU, so that mount namespaces made later can be
// bind-mounted), runs `body` there and returns what it returned: what went wrong, "" where
// nothing did. What the child cannot do is returned as well ("child ended by signal 9"). To be
// called from a process without other threads.
std::string RunInChild(int clone_flags, absl::FunctionRef<std::string()> body);

}  // namespace nsctl::procfsroot

// Runs a body, in new namespaces of the kinds in `flags`, that should return "". Skips the test
// where the machine does not allow such namespaces.
#define NSCTL_RUN_IN_CHILD_OR_SKIP(flags, ...)                                             \
  do {                                                                                     \
    const std::string nsctl_result_ = ::nsctl::procfsroot::RunInChild(flags, __VA_ARGS__); \
    if (nsctl_result_ == "unshare: EPERM") GTEST_SKIP() << "needs CAP_SYS_ADMIN";          \
    if (nsctl_result_.rfind("lacking: ", 0) == 0) GTEST_SKIP() << nsctl_result_;           \
    EXPECT_EQ(nsctl_result_, "");                                                          \
  } while (false)

// In a `body`: returns what `condition` is and errno's name, where it is false.
#define NSCTL_CHILD_EXPECT(condition)                                            \
  do {                                                                           \
    if (!(condition)) {                                                          \
      const int nsctl_errno_ = errno;                                            \
      return absl::StrCat(__FILE__, ":", __LINE__, ": ", #condition, " (errno ", \
                          ::nsctl::base::ErrnoName(nsctl_errno_), ")");          \
    }                                                                            \
  } while (false)

#endif  // NSCTL_PROCFSROOT_RUN_IN_CHILD_H_
