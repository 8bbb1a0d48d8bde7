// Fails every test that leaves a descriptor, thread, child process or mount behind.
//
// Depending on this library is enough: it adds a GoogleTest listener that looks before and after
// each test, plain TEST and TEST_F alike. What a test leaves on purpose it must clean up in its
// fixture's destructor at the latest. What is made before the first test (a fixture's
// SetUpTestSuite, a global environment) does not count.
//
// A scan may copy a file of another process's where a socket was a moment before. Those of file
// systems whose servers might hold up their closing are left to a child that shares the descriptors
// (nsdisc/copied_fd.h). Which other processes run is nothing that a test decides, so that child and
// such files do not count.

#ifndef NSCTL_TESTING_RESOURCE_CHECK_H_
#define NSCTL_TESTING_RESOURCE_CHECK_H_

#include <sys/types.h>

#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"

namespace nsctl::testing {

// What this process holds.
struct Resources {
  // Descriptor -> what it is open on, as its link below /proc/self/fd says.
  std::map<int, std::string> fds;
  std::set<pid_t> threads;
  // Zombies included.
  std::set<pid_t> children;
  // Mount points below the test's own temporary directory: others on the machine may mount what
  // they like meanwhile. Empty where TEST_TMPDIR is not set.
  std::multiset<std::string> mounts;

  friend bool operator==(const Resources&, const Resources&) = default;
};

Resources CurrentResources();

// What is in `after` and not in `before`, one line each; "" where nothing is.
std::string DescribeLeaks(const Resources& before, const Resources& after);

// As DescribeLeaks of the current resources, looked at until nothing is left or `timeout` is over:
// a joined thread's /proc entry goes a moment after pthread_join(3) returns.
std::string AwaitNoLeaks(const Resources& before, absl::Duration timeout);

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_RESOURCE_CHECK_H_
