// Which descriptors of a process keep namespaces alive, by what their links below /proc/PID/fd say.
//
// Nothing is opened and nothing is asked of a descriptor's file, so that hundreds of thousands of
// them cost little more than reading as many links. What a link does not tell, the network
// namespace of a socket, is left to a later step that asks for each socket once.

#ifndef NSCTL_NSDISC_FD_READER_H_
#define NSCTL_NSDISC_FD_READER_H_

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "nsdisc/gap_list.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// A descriptor of a process, or of a thread that has a table of its own (`tid` is 0 otherwise).
struct FdPlace {
  pid_t pid = 0;
  pid_t tid = 0;
  int fd = -1;

  friend bool operator==(const FdPlace&, const FdPlace&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const FdPlace&, const FdPlace&) = default;
};

struct FdFindings {
  struct NamespaceFile {
    FdPlace place;
    base::NamespaceLink target;
    friend bool operator==(const NamespaceFile&, const NamespaceFile&) = default;
  };
  struct Socket {
    uint64_t inode;
    FdPlace place;
    friend bool operator==(const Socket&, const Socket&) = default;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
    friend auto operator<=>(const Socket&, const Socket&) = default;
  };
  struct Pidfd {
    FdPlace place;
    // The process, or the thread of one, that it refers to, as the procfs numbers it.
    pid_t target;
    friend bool operator==(const Pidfd&, const Pidfd&) = default;
  };

  // A namespace's file that is registered with the io_uring instance that is open at `place`, which
  // keeps it after all descriptors of it are closed.
  struct RegisteredFile {
    FdPlace place;
    base::NamespaceLink target;
    friend bool operator==(const RegisteredFile&, const RegisteredFile&) = default;
  };
  struct Path {
    // HashOfFdPath of the link.
    uint32_t hash;
    FdPlace place;
  };

  std::vector<NamespaceFile> namespace_files;
  std::vector<Socket> sockets;
  // Links that end in "/tun": whether it is the device is to be asked.
  std::vector<FdPlace> tuns;
  std::vector<Pidfd> pidfds;
  // Of one instance each namespace once.
  std::vector<RegisteredFile> registered_files;
  // Links that are paths: see mounted_file_fds.h.
  std::vector<Path> paths;
  // Processes of which some could not be looked at, as often as that was.
  std::vector<pid_t> unread;
  // Links that are "/", as of everything that is mounted nowhere: see detached_file_fds.h.
  std::vector<FdPlace> roots;
  // All that were looked at.
  uint64_t examined = 0;
  // Closed between listing and looking, if not the whole process ended.
  uint32_t vanished = 0;
  // pidfds of processes that have ended.
  uint32_t ended_pidfds = 0;
  // Nanoseconds of processor time, of many reads by samples.
  int64_t cpu_nanoseconds = 0;
  GapList gaps;

  // Takes all of `other`'s.
  void Merge(FdFindings other);
};

// Of a descriptor's link that is the path `path`; the same within one run of the program alone.
uint32_t HashOfFdPath(absl::string_view path);

// Not thread-safe: one for each worker, which keeps its buffers.
class FdReader {
 public:
  // `measures_time`: fill FdFindings::cpu_nanoseconds.
  explicit FdReader(bool measures_time);

  // Looks at all descriptors of the process or thread `dir`. A denied directory is a gap; what is
  // gone is counted or, where it is the process, left to the caller. System calls: five, one for
  // each descriptor, and three for each pidfd and each io_uring instance.
  void Read(const procfsroot::ProcessDir& dir, base::Pid pid, base::Tid tid);

  // True where the thread `tid` of the process `process` has a table of descriptors that neither
  // its main thread nor one of `others` has. Asks kcmp(2) where `own_pids` says that the numbers
  // are the caller's; else, and where the kernel refuses, compares what is listed: the same numbers
  // then count as the same table.
  bool HasOwnTable(const procfsroot::ProcessDir& process, base::Pid pid, base::Tid tid,
                   absl::Span<const base::Tid> others, bool own_pids);

  // What was found since the last call.
  FdFindings TakeFindings();

 private:
  std::vector<int> List(const procfsroot::ProcessDir& process, base::Tid tid);
  void Look(int fd_directory, const char* name, const procfsroot::ProcessDir& dir,
            const FdPlace& place);
  void AddGap(pid_t pid, pid_t tid, const char* operation, int error);
  void LookAtPidfd(const procfsroot::ProcessDir& dir, const FdPlace& place);
  void LookAtIoUring(const procfsroot::ProcessDir& dir, const FdPlace& place);
  bool AddRegistered(absl::string_view fdinfo, const FdPlace& place);
  int ReadFdinfo(const procfsroot::ProcessDir& dir, const FdPlace& place, size_t limit);

  const bool measures_time_;
  uint64_t reads_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::string text_;
  FdFindings findings_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_FD_READER_H_
