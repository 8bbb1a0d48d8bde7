#include "nsdisc/lineage.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/status_macros.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;
using base::NamespaceType;
using base::OwnedFd;

// The kernel nests user and PID namespaces at most 33 deep (kernel/user_namespace.c,
// kernel/pid_namespace.c); a longer chain is no answer of the kernel.
constexpr size_t kMaxChain = 256;

struct OpenNamespaceFile {
  OwnedFd fd;
  NamespaceType type;
  NamespaceId id;
};

// Turns a call's result into an answer. An error without an errno cannot come from the kernel.
template <typename T>
Answer<T> ToAnswer(const absl::StatusOr<T>& result) {
  if (result.ok()) return {.value = *result, .error = 0};
  const int error = base::ErrnoOf(result.status());
  return {.value = std::nullopt, .error = error != 0 ? error : EIO};
}

// The namespace that `result` opened, as an answer; the open file is put aside in `found`.
Answer<NamespaceId> Identify(absl::StatusOr<OwnedFd> result, NamespaceType type,
                             std::vector<OpenNamespaceFile>* found) {
  if (!result.ok()) return ToAnswer<NamespaceId>(result.status());
  const absl::StatusOr<NamespaceId> id = base::NamespaceIdOf(*result);
  if (id.ok()) found->push_back({*std::move(result), type, *id});
  return ToAnswer(id);
}

// Facts on the open namespace; what it refers to upward is put aside in `found`.
NamespaceFacts Ask(const OpenNamespaceFile& file, std::vector<OpenNamespaceFile>* found) {
  NamespaceFacts facts{.type = file.type, .id = file.id};
  if (file.type == NamespaceType::kUser) {
    // For user namespaces NS_GET_USERNS and NS_GET_PARENT are the same question.
    facts.parent = Identify(base::OpenParent(file.fd), NamespaceType::kUser, found);
    facts.owner = facts.parent;
    facts.owner_uid = ToAnswer(base::OwnerUidOf(file.fd));
  } else {
    facts.owner = Identify(base::OpenOwner(file.fd), NamespaceType::kUser, found);
  }
  if (file.type == NamespaceType::kPid) {
    facts.parent = Identify(base::OpenParent(file.fd), NamespaceType::kPid, found);
  }
  facts.kernel_id = ToAnswer(base::KernelIdOf(file.fd));
  if (file.type == NamespaceType::kMnt) {
    if (facts.kernel_id.error != 0) facts.kernel_id = ToAnswer(base::MountNamespaceIdOf(file.fd));
    const absl::StatusOr<base::MountNamespaceInfo> info = base::MountNamespaceInfoOf(file.fd);
    facts.mount_count = info.ok() ? Answer<uint32_t>{.value = info->mount_count}
                                  : ToAnswer<uint32_t>(info.status());
  }
  return facts;
}

bool Contains(const std::vector<NamespaceFacts>& facts, const OpenNamespaceFile& file) {
  return std::any_of(facts.begin(), facts.end(), [&](const NamespaceFacts& one) {
    return one.type == file.type && one.id == file.id;
  });
}

}  // namespace

absl::StatusOr<std::vector<NamespaceFacts>> KernelLineage::Trace(
    const procfsroot::Procfs& procfs, const NamespaceWay& way, const NamespaceTarget& target,
    absl::FunctionRef<bool(NamespaceType, NamespaceId)> is_known) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenWay(procfs, way, target));
  NSCTL_ASSIGN_OR_RETURN(const NamespaceId id, base::NamespaceIdOf(fd));

  std::vector<NamespaceFacts> facts;
  std::vector<OpenNamespaceFile> pending;
  pending.push_back({std::move(fd), target.type, id});
  for (size_t next = 0; next < pending.size() && facts.size() < kMaxChain; ++next) {
    // Taken out: asking appends to `pending`, and each file is closed once it was asked.
    const OpenNamespaceFile file = std::move(pending[next]);
    if (next > 0 && (Contains(facts, file) || is_known(file.type, file.id))) continue;
    facts.push_back(Ask(file, &pending));
  }
  return facts;
}

}  // namespace nsctl::nsdisc
