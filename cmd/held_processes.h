// Processes of which nothing can be read for the time being, as whoever reads waits in the kernel.
//
// execve(2) and mmap(2) close files and write pages back while they hold a lock that the files of
// /proc/PID need (exec_update_lock in fs/exec.c, mmap_lock): where a FUSE or network server leaves
// its client waiting, which anybody can arrange, so do readlink(2) of /proc/PID/ns/net and read(2)
// of /proc/PID/stat or cmdline. No signal ends such a wait but one that ends the whole process that
// reads. Which of them wait depends on the kernel: Linux 6.18 has more of them than 6.1.

#ifndef NSCTL_CMD_HELD_PROCESSES_H_
#define NSCTL_CMD_HELD_PROCESSES_H_

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/namespace_type.h"

namespace nsctl::cmd {

struct HeldProcess {
  // The directory of the procfs ("/proc").
  std::string procfs;
  // There.
  pid_t pid = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const HeldProcess&, const HeldProcess&) = default;
};

// That of the file or directory `path` of a process or thread: "/proc/7/task/8/ns" is of process 7
// in "/proc". Its number is 0 where `path` is none.
HeldProcess HeldProcessAt(absl::string_view path);

// Kills a child that waits in the kernel for no more than a lock, and takes its status if it comes
// in a quarter of a second.
void EndChild(pid_t child);

// Looks from outside at what the threads of a process wait for.
class ReaderWatch {
 public:
  explicit ReaderWatch(pid_t reader) : reader_(reader) {}

  struct Wait {
    HeldProcess process;
    // At so many looks in turn the thread was in the same system call.
    int looks = 0;
    // It is the one that main() runs in.
    bool is_first_thread = false;
  };

  // Those on the live procfs that have lasted for two looks or more. To be called at regular
  // intervals. A few system calls for each thread; none of them waits.
  std::vector<Wait> Look();

 private:
  struct Call {
    // As /proc/PID/syscall tells it: number, arguments, stack and instruction.
    std::string text;
    int looks = 0;
  };

  pid_t reader_;
  // By thread.
  std::map<pid_t, Call> calls_;
};

// All processes that are held in the procfs in `directory`. About 20 system calls for each, and
// half a second for every few that are held. To be called from a process without other threads.
// Empty where nothing can be found out.
std::set<HeldProcess> FindHeldProcesses(const std::string& directory);

// The same of a few processes, one after the other: one fork(2), and half a second for each that is
// held.
std::set<HeldProcess> FindHeldAmong(const std::vector<base::Pid>& pids,
                                    const std::string& directory);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_HELD_PROCESSES_H_
