// In which network namespaces sockets were made: each socket of the host is asked about once,
// however many descriptors are open on it.

#ifndef NSCTL_NSDISC_SOCKET_SCAN_H_
#define NSCTL_NSDISC_SOCKET_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/sock_diag.h"
#include "nsdisc/fd_reader.h"
#include "nsdisc/foreign_fds.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/namespace.pb.h"

namespace nsctl::nsdisc {

struct SocketHoldings {
  struct Holding {
    // Of the network namespace.
    uint32_t inode = 0;
    FdHolder holder;
  };
  // By the place of the holder.
  std::vector<Holding> holdings;
  // Sockets that were asked about.
  uint64_t examined = 0;
  // Closed between being listed and being asked about.
  uint32_t vanished = 0;
  // The kernel does not let descriptors be copied at all (before Linux 5.6).
  bool unavailable = false;
  GapList gaps;
};

struct SocketScanOptions {
  // Which network namespace a cookie means, of those that are found already.
  absl::flat_hash_map<uint64_t, uint32_t> cookies = {};
  // Lists sockets of the caller's own namespace, which spares asking about each of them: see
  // base/sock_diag.h. Called where there are `many` sockets; may be null.
  std::function<base::OwnSockets()> list_own = nullptr;
  size_t many = 4096;
  // As for base::ParallelFor.
  int threads = 1;
};

// Asks for the cookie of each socket's namespace; only for a cookie that is new the namespace
// itself is opened, once. Four system calls for each socket, two for each process that has some.
SocketHoldings ScanSockets(std::vector<FdFindings::Socket> sockets, ForeignFdAccess& access,
                           SocketScanOptions options);

// The same for TUN/TAP control files; `tuns` may hold other files.
SocketHoldings ScanTuns(std::vector<FdPlace> tuns, ForeignFdAccess& access);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_SOCKET_SCAN_H_
