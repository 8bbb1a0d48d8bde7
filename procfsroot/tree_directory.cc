#include "procfsroot/tree_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "procfsroot/handle.h"
#include "procfsroot/path_node.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// So many answers of a directory may be without a name.
constexpr int kMaxEmptyAnswers = 16;
// So many entries are looked at in one call.
constexpr size_t kLookBatch = 256;

std::string Job(absl::string_view what, absl::string_view path) {
  return absl::StrCat(what, " ", base::TerminalText(base::EncodeText(path)));
}

bool IsOnAutofs(FdRef directory) {
  struct statfs filesystem;
  return fstatfs(directory.get(), &filesystem) == 0 && filesystem.f_type == AUTOFS_SUPER_MAGIC;
}

dev_t DeviceOf(const struct statx& status) {
  return makedev(status.stx_dev_major, status.stx_dev_minor);
}

// Answers of one call to Look, read by the caller while the worker may still add to them.
struct LookBatch {
  std::vector<std::string> names;
  std::vector<absl::StatusOr<TreeEntry>> entries;
  // So many entries are filled and will not be touched again.
  std::atomic<size_t> done = 0;
  std::atomic<bool> is_abandoned = false;
};

// What OpenEntry finds, made in a worker.
struct Found {
  OpenedEntry opened;
  OwnedFd file;

  // Takes all of `file` where that is short, and lets it go.
  absl::Status ReadShort(size_t max_content) {
    const struct statx& status = opened.entry.status;
    const bool has_holes = status.stx_blocks * 512 < status.stx_size;
    if (status.stx_size > max_content || has_holes) return absl::OkStatus();
    const absl::Status read = base::ReadToEnd(file, max_content, &opened.content);
    if (absl::IsResourceExhausted(read)) {
      // It grew, or is one of those that claim to be empty.
      opened.content.clear();
      if (lseek(file.get(), 0, SEEK_SET) == 0) return absl::OkStatus();
      const int error = errno;
      return ErrnoStatus(error, "lseek", file.path());
    }
    NSCTL_RETURN_IF_ERROR(read);
    // Here, as closing may block.
    file = OwnedFd();
    return absl::OkStatus();
  }
};

}  // namespace

struct TreeDirectory::Shared {
  // Open for reading. There is no other descriptor of it: trees are deep.
  OwnedFd directory;
  std::shared_ptr<const SelfFds> self_fds;
  dev_t device;
  uint64_t mount;
  bool same_mount;
  // The directory is the root of a procfs.
  bool is_procfs;
  // ReadNames found one.
  bool has_names = false;

  // A handle of `name` with what it is; `gate` is asked about every file system on the way.
  absl::StatusOr<OwnedFd> Find(const std::string& name, const DeviceGate& gate,
                               TreeEntry* entry) const {
    NSCTL_RETURN_IF_ERROR(gate(device));
    NSCTL_ASSIGN_OR_RETURN(OwnedFd found,
                           base::OpenAt(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    // A mount's server may be silent though the directory's is not: its device first.
    const absl::StatusOr<struct statx> looked_up = LookedUpStat(found);
    if (looked_up.ok()) NSCTL_RETURN_IF_ERROR(gate(DeviceOf(*looked_up)));
    NSCTL_ASSIGN_OR_RETURN(entry->status, FreshStat(found));
    if (same_mount && entry->status.stx_mnt_id != mount) {
      return ErrnoStatus(EXDEV, "enter mount", found.path());
    }
    if (S_ISLNK(entry->status.stx_mode)) {
      absl::StatusOr<std::string> text = ReadLinkText(found);
      entry->link_status = text.status();
      if (text.ok()) entry->link = *std::move(text);
    }
    return found;
  }

  // That the directory `name`, which was opened, is not this process's own of a procfs.
  absl::Status RefuseReader(const std::string& name) const {
    if (!is_procfs || !IsOwnProcess(directory, name)) return absl::OkStatus();
    return ErrnoStatusInWords(ELOOP, "open", base::DescribePath(directory, name),
                              "is the reader itself");
  }

  absl::StatusOr<std::vector<std::string>> ReadSome() {
    for (int i = 0; i < kMaxEmptyAnswers; ++i) {
      bool is_end = false;
      NSCTL_ASSIGN_OR_RETURN(std::vector<std::string> names, ReadOnce(&is_end));
      has_names = has_names || !names.empty();
      // Not empty: unknown.
      if (is_end && !has_names && IsOnAutofs(directory)) {
        return ErrnoStatus(EREMOTE, "list", directory.path());
      }
      // Empty means the end to the caller.
      if (is_end || !names.empty()) return names;
    }
    return ErrnoStatus(EIO, "getdents64", directory.path());
  }

  absl::StatusOr<std::vector<std::string>> ReadOnce(bool* is_end) const {
    constexpr size_t kBufferSize = size_t{32} << 10;
    alignas(8) char buffer[kBufferSize];
    const long size = syscall(SYS_getdents64, directory.get(), buffer, kBufferSize);
    const int error = errno;
    if (size < 0) return ErrnoStatus(error, "getdents64", directory.path());
    *is_end = size == 0;
    std::vector<std::string> names;
    for (long at = 0; at < size;) {
      // struct dirent64 has the layout of the kernel's records.
      const auto* record = reinterpret_cast<const struct dirent64*>(buffer + at);
      at += record->d_reclen;
      const absl::string_view name = record->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    return names;
  }
};

absl::StatusOr<TreeDirectory> TreeDirectory::Make(OwnedFd handle, TreeOptions options,
                                                  std::shared_ptr<const SelfFds> self_fds) {
  using Opened = std::shared_ptr<Shared>;
  const std::string what = Job("list", handle.path());
  // Shared, as functions that can be stored must be copyable.
  const auto held = std::make_shared<OwnedFd>(std::move(handle));
  NSCTL_ASSIGN_OR_RETURN(
      Opened shared,
      options.caller->Run<Opened>(
          what, options.timeout,
          [held, self_fds = std::move(self_fds),
           same_mount = options.same_mount](const DeviceGate& gate) -> absl::StatusOr<Opened> {
            NSCTL_ASSIGN_OR_RETURN(const struct statx status, LookedUpStat(*held));
            NSCTL_RETURN_IF_ERROR(gate(DeviceOf(status)));
            NSCTL_ASSIGN_OR_RETURN(OwnedFd directory, OpenDirectory(*held));
            *held = OwnedFd();
            const bool is_procfs = IsProcfsRoot(directory);
            return std::make_shared<Shared>(Shared{std::move(directory), self_fds, DeviceOf(status),
                                                   status.stx_mnt_id, same_mount, is_procfs});
          }));
  return TreeDirectory(std::move(options), std::move(shared));
}

absl::StatusOr<TreeDirectory> TreeDirectory::Open(OwnedFd handle, TreeOptions options) {
  NSCTL_ASSIGN_OR_RETURN(SelfFds self_fds, SelfFds::Open());
  return Make(std::move(handle), std::move(options),
              std::make_shared<const SelfFds>(std::move(self_fds)));
}

absl::StatusOr<TreeDirectory> TreeDirectory::Enter(OwnedFd handle) const {
  return Make(std::move(handle), options_, shared_->self_fds);
}

const std::string& TreeDirectory::path() const { return shared_->directory.path(); }

absl::StatusOr<std::vector<std::string>> TreeDirectory::ReadNames(absl::Duration timeout) {
  using Names = std::vector<std::string>;
  return options_.caller->Run<Names>(
      Job("list", shared_->directory.path()), std::min(timeout, options_.timeout),
      [shared = shared_](const DeviceGate& gate) -> absl::StatusOr<Names> {
        NSCTL_RETURN_IF_ERROR(gate(shared->device));
        return shared->ReadSome();
      });
}

std::vector<absl::StatusOr<TreeEntry>> TreeDirectory::Look(absl::Span<const std::string> names,
                                                           absl::Time deadline) const {
  std::vector<absl::StatusOr<TreeEntry>> entries;
  entries.reserve(names.size());
  while (entries.size() < names.size()) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      entries.resize(names.size(), absl::DeadlineExceededError("not looked at in time"));
      break;
    }
    const size_t count = std::min(kLookBatch, names.size() - entries.size());
    const auto next = names.begin() + static_cast<ptrdiff_t>(entries.size());
    const auto batch = std::make_shared<LookBatch>();
    batch->names.assign(next, next + static_cast<ptrdiff_t>(count));
    batch->entries.assign(count, absl::UnknownError("not looked at"));
    const absl::StatusOr<bool> ran = options_.caller->Run<bool>(
        Job("stat", base::DescribePath(shared_->directory, *next)),
        std::min(left, options_.timeout), [batch, shared = shared_](const DeviceGate& gate) {
          for (size_t i = 0; i < batch->names.size() && !batch->is_abandoned; ++i) {
            TreeEntry entry;
            const absl::StatusOr<OwnedFd> found = shared->Find(batch->names[i], gate, &entry);
            batch->entries[i] =
                found.ok() ? absl::StatusOr<TreeEntry>(std::move(entry)) : found.status();
            batch->done = i + 1;
          }
          return absl::StatusOr<bool>(true);
        });
    batch->is_abandoned = true;
    const size_t done = batch->done;
    std::move(batch->entries.begin(), batch->entries.begin() + static_cast<ptrdiff_t>(done),
              std::back_inserter(entries));
    // Without progress the first is the one that hangs; else it may only be slow, and begins anew.
    if (!ran.ok() && done == 0) entries.push_back(ran.status());
  }
  return entries;
}

absl::StatusOr<OpenedEntry> TreeDirectory::OpenEntry(const std::string& name,
                                                     size_t max_content) const {
  using Result = std::shared_ptr<Found>;
  NSCTL_ASSIGN_OR_RETURN(
      const Result result,
      options_.caller->Run<Result>(
          Job("open", base::DescribePath(shared_->directory, name)), options_.timeout,
          [shared = shared_, name, max_content](const DeviceGate& gate) -> absl::StatusOr<Result> {
            auto found = std::make_shared<Found>();
            TreeEntry& entry = found->opened.entry;
            NSCTL_ASSIGN_OR_RETURN(OwnedFd handle, shared->Find(name, gate, &entry));
            if (S_ISDIR(entry.status.stx_mode)) {
              NSCTL_RETURN_IF_ERROR(shared->RefuseReader(name));
              found->opened.directory = std::move(handle);
              return found;
            }
            if (!S_ISREG(entry.status.stx_mode)) return found;
            NSCTL_ASSIGN_OR_RETURN(found->file, shared->self_fds->Reopen(handle, O_RDONLY));
            NSCTL_RETURN_IF_ERROR(found->ReadShort(max_content));
            return found;
          }));
  if (result->file.ok()) {
    result->opened.file.emplace(options_.caller, options_.timeout, std::move(result->file));
  }
  return std::move(result->opened);
}

}  // namespace nsctl::procfsroot
