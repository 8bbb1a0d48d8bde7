// A handle on the root directory of a process, a container or any other tree, and the files below
// it as whoever lives there sees them. What the tree holds may be hostile and may change at any
// moment: nothing here is led outside of the root, opens what it did not check, or waits without a
// limit.
//
//   NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
//   NSCTL_ASSIGN_OR_RETURN(const Root root, Root::OfProcess(procfs, Pid{1234}));
//   NSCTL_ASSIGN_OR_RETURN(std::string text, root.ReadFile("/etc/os-release", 64 << 10));
//
// Paths are relative to the root, with or without a leading slash, and any bytes but NUL. A handle
// is a descriptor opened with O_PATH.

#ifndef NSCTL_PROCFSROOT_ROOT_H_
#define NSCTL_PROCFSROOT_ROOT_H_

#include <sys/socket.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/handle.h"
#include "procfsroot/procfs.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {

struct RootOptions {
  // How long one call may take before it fails with DEADLINE_EXCEEDED.
  absl::Duration timeout = absl::Seconds(5);
  // The workers that calls run in; may be shared by many roots. Null: the root has its own.
  std::shared_ptr<BoundedCaller> caller = nullptr;
  // Calls run in the caller's thread and may hang it: for those who already run in a BoundedCaller,
  // or in a thread that they can lose.
  bool run_inline = false;
  // It is the caller's own root: what a procfs there has of this process may be read (Resolve,
  // path_resolver.h).
  bool may_be_reader = false;
  Backend backend = Backend::kAuto;
  // What messages call the root, as bytes: "1234:". Empty: the path that it was opened by.
  std::string name = "";
};

// How the path of one call is taken.
struct PathRules {
  // False: a symlink that is the last component is not followed.
  bool follow_last = true;
  // Refuse (EXDEV) to cross mount points.
  bool same_mount = false;
};

// Errors of all that make a Root: DEADLINE_EXCEEDED and UNAVAILABLE (bounded_call.h). Of all
// methods with a path: those of Resolve (path_resolver.h), which name the failing component;
// DEADLINE_EXCEEDED and UNAVAILABLE (bounded_call.h); those that are listed with each. Descriptors
// and values that are returned are independent of the Root.
//
// The methods may be called by several threads at once.
class Root {
 public:
  // The root directory of the process `pid` of `procfs`, as /proc/PID/root leads to it. With
  // `pidfd_inode` only the process whose pidfd has that inode number, which is never dealt again.
  // Errors: ESRCH or ENOENT where the process is gone or is another one by now; EACCES without
  // PTRACE_MODE_READ_FSCREDS (ptrace(2)); FAILED_PRECONDITION where `procfs` is a recorded tree, or
  // `pidfd_inode` is given and `procfs` does not show this process's own PIDs; EOPNOTSUPP where
  // pidfds have no inode numbers (before Linux 6.9).
  // Races: the process is known to have been the same before and after the root was taken. It may
  // chroot(2) or end later; the result stays the directory that it was.
  static absl::StatusOr<Root> OfProcess(const Procfs& procfs, base::Pid pid,
                                        std::optional<uint64_t> pidfd_inode = std::nullopt,
                                        RootOptions options = {});

  // `directory` may be open or an O_PATH handle. Errors: ENOTDIR.
  static absl::StatusOr<Root> OfFd(base::OwnedFd directory, RootOptions options = {});

  // `path` is the caller's own, resolved as by open(2). Errors: those of open(2).
  static absl::StatusOr<Root> OfPath(const std::string& path, RootOptions options = {});

  // A handle on the root directory itself. Valid as long as this object or one moved from it.
  base::FdRef fd() const;

  // A handle on what is at `path`. Answers that are in the kernel's caches and on the root's own
  // mount are given in the caller's thread.
  absl::StatusOr<base::OwnedFd> Resolve(absl::string_view path, PathRules rules = {}) const;

  // Opens what is at `path` for use: O_RDONLY, O_WRONLY or O_RDWR, O_APPEND and O_DIRECTORY in
  // `flags`; O_NONBLOCK, O_NOCTTY and O_CLOEXEC are added. A FIFO or a device is refused with
  // FAILED_PRECONDITION unless `special`: opening one may block, or do whatever its driver does.
  // Files are not made: INVALID_ARGUMENT for O_CREAT and O_TRUNC. ELOOP: a symlink that is not to
  // be followed. ENXIO: a socket. The caller reads, and closes, at his own risk: a remote file may
  // block him.
  absl::StatusOr<base::OwnedFd> Open(absl::string_view path, int flags, PathRules rules = {},
                                     bool special = false) const;

  // The directory of what `path` names and may not exist yet, and its name in it. Slashes at the
  // end of `path` are dropped; the name itself is not looked up. EINVAL: `path` has no last name
  // ("/", "a/..").
  struct Parent {
    base::OwnedFd directory;
    std::string name;
  };
  absl::StatusOr<Parent> OpenParent(absl::string_view path, PathRules rules = {}) const;

  // The content of a regular file. FAILED_PRECONDITION where it is none, EISDIR for a directory,
  // RESOURCE_EXHAUSTED past `limit` bytes.
  absl::StatusOr<std::string> ReadFile(absl::string_view path, size_t limit,
                                       PathRules rules = {}) const;

  // As ListDirectory (handle.h).
  absl::StatusOr<std::vector<DirectoryEntry>> ReadDir(absl::string_view path, size_t max_entries,
                                                      PathRules rules = {}) const;

  // The text of the symlink at `path`, which means something below this root alone. EINVAL where
  // there is no symlink.
  absl::StatusOr<std::string> ReadLink(absl::string_view path) const;

  // Starts no automount: of one that nothing is mounted on, the automount's own directory.
  absl::StatusOr<struct statx> Stat(absl::string_view path, PathRules rules = {}) const;

  // As SelfFds::Connect (handle.h), and ENOTSOCK where `path` leads to no socket.
  absl::StatusOr<base::OwnedFd> ConnectUnix(absl::string_view path, int type = SOCK_STREAM) const;

  // Where `handle` (of this root) is below the root by the kernel's word: "/run/d.sock". A mount of
  // a file or directory that was removed since is at its mount point. For people only; a path may
  // lead elsewhere the moment that it is printed. Looks nothing up but a path that the kernel calls
  // deleted, as Resolve does. Errors: ESTALE where it is not below the root, out of which it was
  // moved since it was found, or the root itself is being moved.
  absl::StatusOr<std::string> DisplayPath(base::FdRef handle) const;

 private:
  class State;

  Root(std::shared_ptr<State> state, RootOptions options)
      : options_(std::move(options)), state_(std::move(state)) {}

  // `open` gives the handle; `path` is its name in messages.
  using Opened = std::shared_ptr<State>;
  static absl::StatusOr<Root> Make(const std::string& path,
                                   std::function<absl::StatusOr<base::OwnedFd>()> open,
                                   RootOptions options);

  // Resolves `path` and gives the handle to `use`, in a worker. `what` names the job in messages.
  template <typename T>
  absl::StatusOr<T> With(
      absl::string_view what, absl::string_view path, PathRules rules,
      std::function<absl::StatusOr<T>(const State&, base::OwnedFd handle)> use) const;

  // Whether `path`, no link followed at its end, leads to what `handle` is.
  bool LeadsTo(absl::string_view path, base::FdRef handle) const;

  RootOptions options_;
  // Shared with calls that were abandoned.
  std::shared_ptr<State> state_;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_ROOT_H_
