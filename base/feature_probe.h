// What the running kernel, and the caller's privileges, allow of the newer interfaces.
//
// Every interface is tried, never concluded from the kernel's version: distributions backport, and
// seccomp filters and security modules forbid. The answer is for reports (`doctor`); code that uses
// an interface decides on each call's own error instead, since a filter may come later.

#ifndef NSCTL_BASE_FEATURE_PROBE_H_
#define NSCTL_BASE_FEATURE_PROBE_H_

#include <string>
#include <vector>

#include "base/fd.h"

namespace nsctl::base {

enum class FeatureState {
  kAvailable,
  // The kernel does not know the interface, or was built without it.
  kMissing,
  // The kernel may know it and refused the caller (EPERM, EACCES).
  kDenied,
  // The attempt failed for another reason, named by `error`.
  kUnknown,
};

struct Feature {
  // As manuals call it: "openat2", "NS_GET_ID".
  std::string name;
  FeatureState state = FeatureState::kUnknown;
  // The errno of the attempt; 0 where it is available.
  int error = 0;
  // The first upstream version of Linux that has it: "6.18".
  std::string since;
  // What nsctl cannot do without it, or does less well; for people.
  std::string consequence;

  friend bool operator==(const Feature&, const Feature&) = default;
};

// "available", "missing", "denied", "unknown".
const char* FeatureStateName(FeatureState state);

// How an attempt that ended with `error` is judged; 0 is success.
FeatureState FeatureStateFromErrno(int error);

// Tries each interface once, in a stated order (by subject: processes, paths, mounts, namespaces,
// sockets, events, kinds of namespace). `own_namespaces` is the caller's own /proc/self/ns.
//
// An interface that another is needed for (a pidfd, say) passes its error on to those that need it.
// Leaves nothing behind: no descriptor, mount, namespace or watch. Takes a fraction of a
// millisecond.
std::vector<Feature> ProbeFeatures(FdRef own_namespaces);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_FEATURE_PROBE_H_
