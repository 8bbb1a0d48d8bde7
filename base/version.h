// The version of nsctl, as results and `nsctl version` state it.

#ifndef NSCTL_BASE_VERSION_H_
#define NSCTL_BASE_VERSION_H_

namespace nsctl::base {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace nsctl::base

#endif  // NSCTL_BASE_VERSION_H_
