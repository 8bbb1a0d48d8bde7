// The sockets of a network namespace as the kernel lists them.
//
// Source: sock_diag(7), linux/unix_diag.h, linux/inet_diag.h.

#ifndef NSCTL_BASE_SOCK_DIAG_H_
#define NSCTL_BASE_SOCK_DIAG_H_

#include <cstdint>
#include <vector>

namespace nsctl::base {

struct OwnSockets {
  // Of their network namespace: what SO_NETNS_COOKIE says of each of them.
  uint64_t cookie = 0;
  // By which /proc shows them ("socket:[8172]"), ascending.
  std::vector<uint64_t> inodes;
};

// Unix domain, TCP and UDP sockets of the network namespace that the calling thread is in: all that
// are Unix domain ones; of the others those that have an address. What the kernel does not list is
// missing; all are where it tells no cookies (before Linux 5.14). Needs no rights. The kernel loads
// its modules for this (unix_diag and the like), as it does for ss(8), where they are not there
// yet.
OwnSockets ListOwnSockets();

}  // namespace nsctl::base

#endif  // NSCTL_BASE_SOCK_DIAG_H_
