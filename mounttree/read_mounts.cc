#include "mounttree/read_mounts.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/mount_api.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_message.h"
#include "mounttree/mount_texts.h"
#include "mounttree/mountinfo.h"
#include "mounttree/statmount_reader.h"
#include "procfsroot/mount_namespace_root.h"
#include "procfsroot/procfs.h"

namespace nsctl::mounttree {
namespace {

using Reader = ReadMountsOptions::Reader;
using base::ErrnoStatus;

// Drops the last row where a row before it says the same; `rows` has the ids of those.
void FoldLastRow(absl::flat_hash_map<uint32_t, int>* rows, MountNamespace* out) {
  const int last = out->mounts_size() - 1;
  const auto [known, is_new] = rows->try_emplace(out->mounts(last).mount_id(), last);
  if (is_new) return;
  const Mount& earlier = out->mounts(known->second);
  if (earlier.SerializeAsString() == out->mounts(last).SerializeAsString()) {
    out->mutable_mounts()->RemoveLast();
  }
}

absl::Status CheckInode(const procfsroot::ProcessDir& process,
                        const MountNamespaceAddress& address) {
  if (!address.inode.has_value()) return absl::OkStatus();
  const procfsroot::NamespaceLinks links = process.ReadNamespaceLinks();
  const auto& link = links.in[static_cast<size_t>(base::NamespaceType::kMnt)];
  if (link.error == 0 && link.inode == *address.inode) return absl::OkStatus();
  return ErrnoStatus(link.error == 0 ? ESRCH : link.error, "readlinkat ns/mnt",
                     process.fd().path());
}

absl::Status ReadMountinfo(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                           MountNamespace* out) {
  if (address.procfs == nullptr || !address.process.has_value()) {
    return absl::FailedPreconditionError("no process to read the mountinfo of");
  }
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process,
                         address.procfs->OpenProcess(*address.process));
  NSCTL_ASSIGN_OR_RETURN(const std::string text,
                         process.Read("mountinfo", options.max_mountinfo_bytes));
  NSCTL_RETURN_IF_ERROR(CheckInode(process, address));
  NSCTL_RETURN_IF_ERROR(ParseMounts(text, options.max_mounts, out, options.texts));
  out->set_reader(MountNamespace::mountinfo);
  out->set_process(address.process->value);
  return absl::OkStatus();
}

absl::Status ReadMountinfoInside(const MountNamespaceAddress& address,
                                 const ReadMountsOptions& options, MountNamespace* out) {
  if (address.procfs == nullptr || !address.fd.has_value()) {
    return absl::FailedPreconditionError("no descriptor of the mount namespace to enter it");
  }
  procfsroot::MountNamespaceOptions entry;
  entry.root.timeout = options.timeout;
  NSCTL_ASSIGN_OR_RETURN(const std::string text,
                         procfsroot::ReadMountinfoInside(*address.procfs, *address.fd,
                                                         options.max_mountinfo_bytes, entry));
  NSCTL_RETURN_IF_ERROR(ParseMounts(text, options.max_mounts, out, options.texts));
  out->set_reader(MountNamespace::mountinfo_inside);
  return absl::OkStatus();
}

// Of its `procfs` and `process`, both of which it has.
absl::StatusOr<base::OwnedFd> OpenNamespaceOfProcess(const MountNamespaceAddress& address) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process,
                         address.procfs->OpenProcess(*address.process));
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd fd, process.OpenNamespace("mnt"));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  if (address.inode.value_or(id.inode) != id.inode) {
    return ErrnoStatus(ESRCH, "open ns/mnt", process.fd().path());
  }
  return fd;
}

absl::Status ReadStatmount(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                           MountNamespace* out, bool* is_whole) {
  *is_whole = false;
  const auto read = [&](std::optional<base::FdRef> fd) {
    return ReadByStatmount({address.kernel_id, fd},
                           {.propagate_from = options.propagate_from,
                            .places_only = options.places_only,
                            .super_blocks = options.super_blocks,
                            .max_mounts = options.max_mounts,
                            .texts = options.texts,
                            .hidden_fields = options.hidden_statmount_fields},
                           out, is_whole);
  };
  if (address.kernel_id.has_value() || address.fd.has_value()) return read(address.fd);
  if (address.procfs == nullptr || !address.process.has_value()) {
    return absl::FailedPreconditionError("no mount namespace given");
  }
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd fd, OpenNamespaceOfProcess(address));
  return read(fd);
}

bool HasRoot(const MountNamespace& mounts) {
  return std::any_of(mounts.mounts().begin(), mounts.mounts().end(),
                     [](const Mount& mount) { return mount.mount_point() == "/"; });
}

// Mountinfo in either way, the cheaper first. That of a process with another root directory has no
// more than what is below that.
absl::Status ReadText(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                      MountNamespace* out) {
  absl::Status of_process = ReadMountinfo(address, options, out);
  if (of_process.ok() && HasRoot(*out)) return of_process;
  MountNamespace whole;
  absl::Status inside = ReadMountinfoInside(address, options, &whole);
  if (of_process.ok() && !address.fd.has_value()) {
    const absl::StatusOr<base::OwnedFd> fd = OpenNamespaceOfProcess(address);
    MountNamespaceAddress opened = address;
    if (fd.ok()) opened.fd = *fd;
    inside = fd.ok() ? ReadMountinfoInside(opened, options, &whole) : fd.status();
  }
  if (inside.ok()) {
    *out = std::move(whole);
    return inside;
  }
  if (of_process.ok()) return of_process;
  return inside.code() == absl::StatusCode::kFailedPrecondition ? of_process : inside;
}

// What statmount read but in part, `out`, is replaced by what mountinfo has, if that is no less.
void ReplaceByText(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                   MountNamespace* out) {
  MountNamespace text;
  if (!ReadText(address, options, &text).ok() || text.mounts_size() < out->mounts_size()) return;
  *out = std::move(text);
}

absl::Status ReadAuto(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                      MountNamespace* out) {
  bool is_whole = false;
  absl::Status by_statmount = ReadStatmount(address, options, out, &is_whole);
  if (by_statmount.ok()) {
    if (!is_whole) ReplaceByText(address, options, out);
    return by_statmount;
  }
  if (absl::IsResourceExhausted(by_statmount)) return by_statmount;
  out->Clear();
  absl::Status by_text = ReadText(address, options, out);
  return by_text.code() == absl::StatusCode::kFailedPrecondition ? by_statmount : by_text;
}

absl::Status Read(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                  MountNamespace* out) {
  bool is_whole;
  switch (options.reader) {
    case Reader::kAuto:
      return ReadAuto(address, options, out);
    case Reader::kStatmount:
      return ReadStatmount(address, options, out, &is_whole);
    case Reader::kMountinfo:
      return ReadMountinfo(address, options, out);
    case Reader::kMountinfoInside:
      return ReadMountinfoInside(address, options, out);
  }
  return absl::InvalidArgumentError("no such reader");
}

}  // namespace

absl::Status ReadMounts(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                        MountNamespace* out) {
  out->Clear();
  absl::Status status = Read(address, options, out);
  if (!status.ok()) {
    out->Clear();
    return status;
  }
  if (address.inode.has_value()) out->set_inode(*address.inode);
  if (address.kernel_id.has_value()) out->set_kernel_id(*address.kernel_id);
  return status;
}

absl::Status ParseMounts(absl::string_view text, size_t max_mounts, MountNamespace* out,
                         const MountTextLimits& limits) {
  out->Clear();
  absl::flat_hash_map<uint32_t, int> rows;
  MountTexts texts(limits);
  size_t too_many = 0;
  absl::Status status = ForEachMount(text, [&](const MountinfoRow& row) {
    if (static_cast<size_t>(out->mounts_size()) >= max_mounts) {
      ++too_many;
      return;
    }
    Mount* const mount = out->add_mounts();
    FillMount(row, mount);
    texts.Limit(mount);
    FoldLastRow(&rows, out);
  });
  if (status.ok() && too_many == 0) {
    texts.AddGaps(out);
    return status;
  }
  out->Clear();
  if (!status.ok()) return status;
  return absl::ResourceExhaustedError(absl::StrCat("mountinfo: more than ", max_mounts, " mounts"));
}

}  // namespace nsctl::mounttree
