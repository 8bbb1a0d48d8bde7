#include "procfsroot/root.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/handle.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/procfs.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// Where the result of a walk may be the root itself, these file systems do not ask a server about
// it; what is not listed might (d_weak_revalidate of the kernel's dentry operations).
constexpr long kLocalFilesystems[] = {
    EXT4_SUPER_MAGIC,     XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
    TMPFS_MAGIC,          RAMFS_MAGIC,      F2FS_SUPER_MAGIC,  SQUASHFS_MAGIC,
    EROFS_SUPER_MAGIC_V1, FUSE_SUPER_MAGIC, PROC_SUPER_MAGIC,  ISOFS_SUPER_MAGIC,
};

// What d_path() of the kernel's fs/d_path.c puts behind paths.
constexpr absl::string_view kDeleted = " (deleted)";

// The type of the file system that `directory` is on, as statfs(2) has it; 0 where that fails.
long FilesystemOf(FdRef directory) {
  struct statfs filesystem;
  return fstatfs(directory.get(), &filesystem) == 0 ? static_cast<long>(filesystem.f_type) : 0;
}

bool IsLocal(long filesystem) {
  return std::count(std::begin(kLocalFilesystems), std::end(kLocalFilesystems), filesystem) > 0;
}

// Asks the gate about the file system that `handle` is on. One that does not tell is let pass: its
// device was asked about when the walk entered it.
absl::Status EnterDeviceOf(FdRef handle, const DeviceGate& gate) {
  const absl::StatusOr<struct statx> status = LookedUpStat(handle);
  if (!status.ok()) return absl::OkStatus();
  return gate(makedev(status->stx_dev_major, status->stx_dev_minor));
}

// What a file of this type is called where it is not opened; nullptr for files and directories.
const char* SpecialKind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFIFO:
      return "a FIFO";
    case S_IFCHR:
      return "a character device";
    case S_IFBLK:
      return "a block device";
    case S_IFSOCK:
      return "a socket";
    default:
      return nullptr;
  }
}

std::string Job(absl::string_view what, absl::string_view path) {
  return absl::StrCat(what, " ", base::TerminalText(base::EncodeText(path)));
}

absl::Status RefuseSpecial(absl::string_view what, FdRef handle, mode_t mode) {
  const char* const kind = SpecialKind(mode);
  if (kind == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(Job(what, handle.path()), ": is ", kind, ", which is not opened"));
}

absl::Status RefuseLink(absl::string_view what, FdRef handle) {
  return ErrnoStatusInWords(ELOOP, what, handle.path(),
                            "is a symbolic link, which is not followed");
}

}  // namespace

class Root::State {
 public:
  State(OwnedFd handle, Backend backend, bool may_be_reader, long filesystem)
      : handle_(std::move(handle)),
        backend_(backend),
        may_be_reader_(may_be_reader),
        is_local_(IsLocal(filesystem)),
        is_no_procfs_(filesystem != 0 && filesystem != PROC_SUPER_MAGIC) {}

  FdRef fd() const { return handle_; }
  bool is_local() const { return is_local_; }

  ResolveOptions Options(PathRules rules, const DeviceGate* gate) const {
    return {.follow_last = rules.follow_last,
            .same_mount = rules.same_mount,
            .root_is_no_procfs = is_no_procfs_,
            .may_be_reader = may_be_reader_,
            .backend = backend_,
            .gate = gate};
  }

  // Opened at its first use: many roots are only ever resolved in.
  absl::StatusOr<const SelfFds*> self_fds() const {
    const std::lock_guard lock(mutex_);
    if (!self_fds_.has_value()) {
      NSCTL_ASSIGN_OR_RETURN(self_fds_, SelfFds::Open());
    }
    return &*self_fds_;
  }

 private:
  const OwnedFd handle_;
  const Backend backend_;
  const bool may_be_reader_;
  // Cached answers may be asked for in the caller's thread.
  const bool is_local_;
  const bool is_no_procfs_;
  mutable std::mutex mutex_;
  mutable std::optional<SelfFds> self_fds_;
};

template <typename T>
absl::StatusOr<T> Root::With(
    absl::string_view what, absl::string_view path, PathRules rules,
    std::function<absl::StatusOr<T>(const State&, OwnedFd handle)> use) const {
  // By value, and not the workers: a call that is abandoned outlives this object, which ends them.
  auto body = [state = std::shared_ptr<const State>(state_), path = std::string(path), rules,
               use = std::move(use)](const DeviceGate& gate) -> absl::StatusOr<T> {
    NSCTL_ASSIGN_OR_RETURN(OwnedFd handle,
                           procfsroot::Resolve(state->fd(), path, state->Options(rules, &gate)));
    NSCTL_RETURN_IF_ERROR(EnterDeviceOf(handle, gate));
    return use(*state, std::move(handle));
  };
  if (options_.run_inline) return body([](dev_t) { return absl::OkStatus(); });
  return options_.caller->Run<T>(Job(what, DescribeInRoot(fd(), path)), options_.timeout,
                                 std::move(body));
}

absl::StatusOr<Root> Root::Make(const std::string& path,
                                std::function<absl::StatusOr<OwnedFd>()> open,
                                RootOptions options) {
  if (options.caller == nullptr) options.caller = std::make_shared<BoundedCaller>();
  // Even to open a directory may ask a server.
  auto body = [open = std::move(open), backend = options.backend,
               may_be_reader = options.may_be_reader,
               name = options.name](const DeviceGate& gate) -> absl::StatusOr<Opened> {
    NSCTL_ASSIGN_OR_RETURN(OwnedFd handle, open());
    if (!name.empty()) handle = OwnedFd(handle.Release(), name);
    NSCTL_ASSIGN_OR_RETURN(const struct statx status, LookedUpStat(handle));
    if (!S_ISDIR(status.stx_mode)) return ErrnoStatus(ENOTDIR, "open", handle.path());
    NSCTL_RETURN_IF_ERROR(EnterDeviceOf(handle, gate));
    const long filesystem = FilesystemOf(handle);
    return std::make_shared<State>(std::move(handle), backend, may_be_reader, filesystem);
  };
  absl::StatusOr<Opened> state =
      options.run_inline
          ? body([](dev_t) { return absl::OkStatus(); })
          : options.caller->Run<Opened>(Job("open", path), options.timeout, std::move(body));
  if (!state.ok()) return state.status();
  return Root(*std::move(state), std::move(options));
}

absl::StatusOr<Root> Root::OfProcess(const Procfs& procfs, base::Pid pid,
                                     std::optional<uint64_t> pidfd_inode, RootOptions options) {
  NSCTL_ASSIGN_OR_RETURN(GuardedProcess opened, GuardedProcess::Open(procfs, pid, pidfd_inode));
  const auto process = std::make_shared<const GuardedProcess>(std::move(opened));
  const auto open = [process]() -> absl::StatusOr<OwnedFd> {
    // A magic link, followed on purpose: it leads to the directory itself.
    NSCTL_ASSIGN_OR_RETURN(OwnedFd handle,
                           base::OpenAt(process->directory().fd(), "root", O_PATH | O_CLOEXEC));
    NSCTL_RETURN_IF_ERROR(process->CheckAlive());
    return handle;
  };
  return Make(base::DescribePath(process->directory().fd(), "root"), open, std::move(options));
}

absl::StatusOr<Root> Root::OfFd(OwnedFd directory, RootOptions options) {
  const std::string path = directory.path();
  // Shared, as functions that can be stored must be copyable.
  const auto held = std::make_shared<OwnedFd>(std::move(directory));
  return Make(
      path, [held]() -> absl::StatusOr<OwnedFd> { return std::move(*held); }, std::move(options));
}

absl::StatusOr<Root> Root::OfPath(const std::string& path, RootOptions options) {
  return Make(
      path, [path] { return base::OpenAt(FdRef(AT_FDCWD), path, O_PATH | O_CLOEXEC); },
      std::move(options));
}

FdRef Root::fd() const { return state_->fd(); }

absl::StatusOr<OwnedFd> Root::Resolve(absl::string_view path, PathRules rules) const {
  if (state_->is_local()) {
    std::optional<absl::StatusOr<OwnedFd>> known =
        ResolveCached(fd(), path, state_->Options(rules, nullptr));
    if (known.has_value()) return *std::move(known);
  }
  return With<OwnedFd>("resolve", path, rules, [](const State&, OwnedFd handle) { return handle; });
}

absl::StatusOr<OwnedFd> Root::Open(absl::string_view path, int flags, PathRules rules,
                                   bool special) const {
  constexpr int kAllowed = O_ACCMODE | O_APPEND | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  if (flags & ~kAllowed) {
    return absl::InvalidArgumentError(absl::StrCat(Job("open", DescribeInRoot(fd(), path)),
                                                   ": flags that are not supported: ", flags));
  }
  return With<OwnedFd>(
      "open", path, rules,
      [flags, special](const State& state, OwnedFd handle) -> absl::StatusOr<OwnedFd> {
        NSCTL_ASSIGN_OR_RETURN(const struct statx status, LookedUpStat(handle));
        if (S_ISLNK(status.stx_mode)) return RefuseLink("open", handle);
        if (!special) NSCTL_RETURN_IF_ERROR(RefuseSpecial("open", handle, status.stx_mode));
        NSCTL_ASSIGN_OR_RETURN(const SelfFds* self_fds, state.self_fds());
        return self_fds->Reopen(handle, flags);
      });
}

absl::StatusOr<Root::Parent> Root::OpenParent(absl::string_view path, PathRules rules) const {
  absl::string_view name = path;
  while (!name.empty() && name.back() == '/') name.remove_suffix(1);
  const size_t slash = name.rfind('/');
  const absl::string_view parent =
      slash == absl::string_view::npos ? "/" : name.substr(0, slash + 1);
  if (slash != absl::string_view::npos) name.remove_prefix(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    return ErrnoStatus(EINVAL, "find last name of", DescribeInRoot(fd(), path));
  }
  // With its slash: a directory or ENOTDIR.
  rules.follow_last = true;
  NSCTL_ASSIGN_OR_RETURN(OwnedFd directory, Resolve(parent, rules));
  return Parent{.directory = std::move(directory), .name = std::string(name)};
}

absl::StatusOr<std::string> Root::ReadFile(absl::string_view path, size_t limit,
                                           PathRules rules) const {
  return With<std::string>(
      "read", path, rules,
      [limit](const State& state, OwnedFd handle) -> absl::StatusOr<std::string> {
        NSCTL_ASSIGN_OR_RETURN(const struct statx status, LookedUpStat(handle));
        NSCTL_RETURN_IF_ERROR(RefuseSpecial("read", handle, status.stx_mode));
        if (S_ISLNK(status.stx_mode)) return RefuseLink("read", handle);
        if (S_ISDIR(status.stx_mode)) return ErrnoStatus(EISDIR, "read", handle.path());
        NSCTL_ASSIGN_OR_RETURN(const SelfFds* self_fds, state.self_fds());
        NSCTL_ASSIGN_OR_RETURN(const OwnedFd file, self_fds->Reopen(handle, O_RDONLY));
        std::string content;
        NSCTL_RETURN_IF_ERROR(base::ReadToEnd(file, limit, &content));
        return content;
      });
}

absl::StatusOr<std::vector<DirectoryEntry>> Root::ReadDir(absl::string_view path,
                                                          size_t max_entries,
                                                          PathRules rules) const {
  return With<std::vector<DirectoryEntry>>(
      "list", path, rules,
      [max_entries](const State&, OwnedFd handle) { return ListDirectory(handle, max_entries); });
}

absl::StatusOr<std::string> Root::ReadLink(absl::string_view path) const {
  return With<std::string>("readlink", path, {.follow_last = false},
                           [](const State&, OwnedFd handle) { return ReadLinkText(handle); });
}

absl::StatusOr<struct statx> Root::Stat(absl::string_view path, PathRules rules) const {
  return With<struct statx>("stat", path, rules,
                            [](const State&, OwnedFd handle) { return FreshStat(handle); });
}

absl::StatusOr<OwnedFd> Root::ConnectUnix(absl::string_view path, int type) const {
  return With<OwnedFd>("connect", path, {},
                       [type, timeout = options_.timeout](
                           const State& state, OwnedFd handle) -> absl::StatusOr<OwnedFd> {
                         NSCTL_ASSIGN_OR_RETURN(const struct statx status, LookedUpStat(handle));
                         if (!S_ISSOCK(status.stx_mode))
                           return ErrnoStatus(ENOTSOCK, "connect", handle.path());
                         NSCTL_ASSIGN_OR_RETURN(const SelfFds* self_fds, state.self_fds());
                         // Its own answer comes before the worker is given up.
                         return self_fds->Connect(handle, type, timeout * 0.9);
                       });
}

absl::StatusOr<std::string> Root::DisplayPath(FdRef handle) const {
  NSCTL_ASSIGN_OR_RETURN(const SelfFds* self_fds, state_->self_fds());
  NSCTL_ASSIGN_OR_RETURN(const std::string root, self_fds->PathOf(fd()));
  NSCTL_ASSIGN_OR_RETURN(std::string path, self_fds->PathOf(handle));
  // The same before and after, or the two paths were not seen from the same place.
  NSCTL_ASSIGN_OR_RETURN(const std::string root_after, self_fds->PathOf(fd()));
  const bool is_below = root == "/" || path == root || absl::StartsWith(path, root + "/");
  if (root != root_after || !is_below) {
    return ErrnoStatusInWords(ESTALE, "find path of", handle.path(),
                              "was moved out of the root meanwhile");
  }
  if (path == root) return "/";
  if (root != "/") path.erase(0, root.size());
  // Said of a mount's root as well, which can still be reached. A name may end so too.
  const absl::string_view before = absl::StripSuffix(path, kDeleted);
  if (before.size() < path.size() && !LeadsTo(path, handle) && LeadsTo(before, handle)) {
    path.resize(before.size());
  }
  return path;
}

bool Root::LeadsTo(absl::string_view path, FdRef handle) const {
  const absl::StatusOr<OwnedFd> found = Resolve(path, {.follow_last = false});
  return found.ok() && IsSameFile(*found, handle);
}

}  // namespace nsctl::procfsroot
