// A handle on a procfs: the live one, another mount of it, or a recorded tree of the same shape.
//
// Everything that this project reads below /proc goes through a Procfs. A process is read through a
// ProcessDir, an open directory that stays bound to one process: when the process ends, reads fail
// with ESRCH even if its number is dealt again, so what one ProcessDir gives is about one process.
//
//   NSCTL_ASSIGN_OR_RETURN(Procfs procfs, Procfs::Live());
//   NSCTL_ASSIGN_OR_RETURN(std::vector<Pid> pids, procfs.ListProcesses());
//   NSCTL_ASSIGN_OR_RETURN(ProcessDir dir, procfs.OpenProcess(pids[0]));
//   NSCTL_ASSIGN_OR_RETURN(std::string text, dir.Read("stat", kMaxStat));

#ifndef NSCTL_PROCFSROOT_PROCFS_H_
#define NSCTL_PROCFSROOT_PROCFS_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::procfsroot {

// What the ns/ directory of a process or thread says. For each type the inode, or the errno of
// reading its link: ENOENT where the kernel has no such namespace, where a *_for_children namespace
// has no child yet, and for a zombie; EACCES without PTRACE_MODE_READ_FSCREDS.
struct NamespaceLinks {
  struct Entry {
    uint32_t inode = 0;
    int error = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  // Indexed by base::NamespaceType.
  std::array<Entry, base::kNamespaceTypeCount> in;
  // pid and time only; other elements stay empty.
  std::array<Entry, base::kNamespaceTypeCount> for_children;

  friend bool operator==(const NamespaceLinks&, const NamespaceLinks&) = default;
};

// openat(2) for what is below a procfs: refuses with EXDEV to cross a mount point, since whatever
// is mounted on /proc/PID, or on a file in it, is not the kernel's word. Where openat2(2) cannot be
// had (before Linux 5.6, or forbidden by a seccomp filter) mounts are crossed. Returns -1 and sets
// errno on failure.
int OpenBelowProcfs(int directory, const char* path, int flags);

// The directory of one process or thread. Methods take names relative to it ("stat", "ns/net").
class ProcessDir {
 public:
  explicit ProcessDir(base::OwnedFd fd) : fd_(std::move(fd)) {}

  base::FdRef fd() const { return fd_; }

  // The whole file `name`. Errors: ESRCH or ENOENT once the process is gone, EACCES, EPERM,
  // RESOURCE_EXHAUSTED past `limit` bytes.
  absl::StatusOr<std::string> Read(const std::string& name, size_t limit) const;

  // For scans, which read thousands of small files and are refused many: reads the file `name`, one
  // of those that the kernel makes as a single record (stat, status, cgroup, cmdline, comm), into
  // `out` (replaced; its capacity is reused). Returns 0 or an errno; EFBIG past `limit` bytes, of
  // which `out` then holds the first `limit`. Three system calls.
  int TryReadRecord(const char* name, size_t limit, std::string* out) const;

  // All links below ns/. Never fails as a whole: where ns/ cannot be opened every entry has that
  // errno. Ten readlinkat, one open, one close; allocates nothing. Source: namespaces(7).
  NamespaceLinks ReadNamespaceLinks() const;

  // The same for the thread task/TID, without opening its directory.
  NamespaceLinks ReadThreadNamespaceLinks(base::Tid tid) const;

  // Opens the namespace behind `entry` ("net", "pid_for_children") of ns/ for ioctls. Follows the
  // magic link, which leads to the namespace itself. In a recorded tree the link dangles: ENOENT.
  absl::StatusOr<base::OwnedFd> OpenNamespace(const char* entry) const;

  // The threads, ascending. Races: threads that start or end meanwhile may or may not be listed.
  absl::StatusOr<std::vector<base::Tid>> ListThreads() const;

  // The directory task/TID. ENOENT once the thread is gone.
  absl::StatusOr<ProcessDir> OpenThread(base::Tid tid) const;

 private:
  base::OwnedFd fd_;
};

class Procfs {
 public:
  // The procfs at /proc. FAILED_PRECONDITION where what is mounted there is no procfs (checked by
  // PROC_SUPER_MAGIC, statfs(2)).
  static absl::StatusOr<Procfs> Live();

  // `directory`: another mount of procfs, or a recorded tree. Errors: those of open(2).
  static absl::StatusOr<Procfs> At(const std::string& directory);

  // True where the directory is a procfs of the running kernel: its ns/ links can be opened.
  bool is_kernel() const { return is_kernel_; }

  // True for the result of Live().
  bool is_live() const { return is_live_; }

  // True where its PIDs are this process's own: the procfs belongs to this process's PID namespace,
  // so that a number read in it may be given to pidfd_open(2) or sched_getaffinity(2).
  bool has_own_pids() const { return has_own_pids_; }

  // "/proc" or the directory given to At().
  const std::string& path() const { return root_.path(); }
  base::FdRef fd() const { return root_; }

  // The numeric entries, ascending. One getdents64 for about 10,000 processes.
  // Races: processes that start or end meanwhile may or may not be listed.
  absl::StatusOr<std::vector<base::Pid>> ListProcesses() const;

  // From now on OpenProcess gives ETIMEDOUT for these: processes that are known to make whoever
  // reads of them wait. Not while others use this procfs.
  void LeaveOut(std::vector<base::Pid> pids);

  // NOT_FOUND (ENOENT) once the process is gone. Under hidepid=2 other users' processes are ENOENT
  // too. ETIMEDOUT for those that LeaveOut was given. EXDEV where something is mounted on its
  // directory. A TID opens as well: procfs does not list it but finds it.
  absl::StatusOr<ProcessDir> OpenProcess(base::Pid pid) const;

  // This process as the procfs shows it ("self"). NOT_FOUND where it does not show it.
  absl::StatusOr<ProcessDir> OpenSelf() const;

  // A file that belongs to no process ("sys/kernel/random/boot_id").
  absl::StatusOr<std::string> ReadFile(const std::string& name, size_t limit) const;

 private:
  Procfs(base::OwnedFd root, bool is_kernel);

  base::OwnedFd root_;
  bool is_kernel_ = false;
  bool is_live_ = false;
  bool has_own_pids_ = false;
  // Ascending.
  std::vector<base::Pid> left_out_;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PROCFS_H_
