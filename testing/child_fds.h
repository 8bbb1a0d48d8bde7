// Descriptors in children of tests.

#ifndef NSCTL_TESTING_CHILD_FDS_H_
#define NSCTL_TESTING_CHILD_FDS_H_

namespace nsctl::testing {

// Closes all descriptors but the standard streams, `a` and `b`, so that what the test has open is
// not open in its children too. Does nothing where the kernel cannot (before Linux 5.9).
// Async-signal-safe.
void CloseDescriptorsBut(int a, int b);

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_CHILD_FDS_H_
