// The unix sockets that a process listens at, and what they were bound to.
//
// A copy of each descriptor is asked, which tells whatever the network namespace is that the socket
// was made in. Where descriptors cannot be copied, and in recorded trees, the table of the
// process's own network namespace is read: what it does not have is not found.

#ifndef NSCTL_ENGINES_LISTENING_SOCKETS_H_
#define NSCTL_ENGINES_LISTENING_SOCKETS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// Where a socket's name is from (unix(7)).
enum class SocketSpace {
  // A file.
  kPath,
  // A table of each network namespace.
  kAbstract,
};

struct ListeningSocket {
  // In the kernel's table of sockets; unique while the socket exists.
  uint64_t inode = 0;
  // Bytes, as they were given to bind(2): it may be relative, or lead elsewhere by now. In the
  // abstract space the name, without the NUL before it.
  std::string path = "";

  friend bool operator==(const ListeningSocket&, const ListeningSocket&) = default;
};

// The listening stream sockets of `space` in the text of /proc/PID/net/unix, in its order. A path
// may hold a newline and so forge further lines: what is found is to be checked. Source:
// net/unix/af_unix.c, unix_seq_show.
std::vector<ListeningSocket> ParseListeningSockets(absl::string_view text,
                                                   SocketSpace space = SocketSpace::kPath);

// So many sockets of one process are looked at.
inline constexpr size_t kMaxSockets = 1024;

struct ListeningSockets {
  // By path and inode.
  std::vector<ListeningSocket> sockets;
  // There are more than kMaxSockets, or more descriptors than are looked at.
  bool cut = false;
};
// Errors: NOT_FOUND where it ended; EACCES without PTRACE_MODE_READ_FSCREDS.
absl::StatusOr<ListeningSockets> ReadListeningSockets(const procfsroot::Procfs& procfs,
                                                      base::Pid pid,
                                                      SocketSpace space = SocketSpace::kPath);

// Inode numbers of its sockets, up to kMaxSockets. Errors as above.
absl::StatusOr<std::set<uint64_t>> ReadSocketInodes(const procfsroot::Procfs& procfs,
                                                    base::Pid pid);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_LISTENING_SOCKETS_H_
