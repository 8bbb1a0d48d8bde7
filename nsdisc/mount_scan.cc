#include "nsdisc/mount_scan.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "mounttree/mount_tree.h"
#include "procfsroot/mount_namespace_root.h"

namespace nsctl::nsdisc {
namespace {

using mounttree::MountNamespace;
using mounttree::MountNamespaceAddress;
using procfsroot::MountNamespaceRoot;
using procfsroot::Procfs;

// The process or thread by which /proc shows the namespace.
std::optional<base::Pid> MemberOf(const Namespace& ns) {
  if (ns.has_ealdorman()) return base::Pid{ns.ealdorman()};
  if (!ns.loose_threads().empty()) return base::Pid{ns.loose_threads(0)};
  return std::nullopt;
}

// The way that ns.reference() gives, for a namespace that nobody is in and that has no id.
absl::StatusOr<MountNamespaceRoot> Follow(const Namespace& ns) {
  std::vector<std::string> references;
  for (const std::string& path : ns.reference()) {
    references.push_back(base::DecodeText(path).value_or(path));
  }
  if (references.empty()) return absl::NotFoundError("no path leads to it");
  return MountNamespaceRoot::OfChain(references);
}

// Its message was refused, or what it says lacks something.
void AddGaps(const Namespace& ns, const absl::Status& status, const MountNamespace& mounts,
             GapList* gaps) {
  const GapSubject subject{
      .kind = GapSubject::kNamespace, .number = ns.inode(), .type = base::NamespaceType::kMnt};
  if (!status.ok()) {
    const int error = base::ErrnoOf(status);
    gaps->Add(subject, "read mounts",
              error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(status.code()),
              "its mounts are unknown");
  }
  for (const mounttree::MountGap& gap : mounts.gaps()) {
    gaps->Add(subject, gap.operation(), gap.error(), gap.consequence(), gap.count());
  }
}

}  // namespace

absl::Status ReadMountsOf(const Namespace& ns, const Procfs& procfs,
                          const mounttree::ReadMountsOptions& options, MountNamespace* out) {
  MountNamespaceAddress address{.procfs = &procfs, .process = MemberOf(ns), .inode = ns.inode()};
  // An id from a recording is one of another kernel.
  if (procfs.is_kernel() && ns.has_kernel_id()) address.kernel_id = ns.kernel_id();

  std::optional<MountNamespaceRoot> way;
  if (!address.kernel_id.has_value() && !address.process.has_value() && procfs.is_live()) {
    NSCTL_ASSIGN_OR_RETURN(way, Follow(ns));
    address.fd = way->mount_namespace();
  }
  if (!address.kernel_id.has_value() && !address.process.has_value() && !address.fd.has_value()) {
    return absl::NotFoundError("no way leads to it");
  }
  NSCTL_RETURN_IF_ERROR(mounttree::ReadMounts(address, options, out));
  out->set_inode(ns.inode());
  if (ns.has_kernel_id()) out->set_kernel_id(ns.kernel_id());
  mounttree::PlaceMounts(out);
  return absl::OkStatus();
}

void ScanMounts(const google::protobuf::RepeatedPtrField<Namespace>& namespaces,
                const Procfs& procfs, const MountScanOptions& options,
                google::protobuf::RepeatedPtrField<MountNamespace>* out, GapList* gaps) {
  std::vector<const Namespace*> wanted;
  for (const Namespace& ns : namespaces) {
    if (ns.type() == Namespace::mnt) wanted.push_back(&ns);
  }
  std::vector<std::unique_ptr<MountNamespace>> read(wanted.size());
  std::vector<absl::Status> statuses(wanted.size());
  const int threads =
      options.worker_threads > 0 ? options.worker_threads : base::DefaultThreadCount();
  base::ParallelFor(wanted.size(), /*chunk=*/1, threads, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      read[i] = std::make_unique<MountNamespace>();
      statuses[i] = ReadMountsOf(*wanted[i], procfs, options.read, read[i].get());
    }
  });
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (base::IsGone(statuses[i])) continue;
    AddGaps(*wanted[i], statuses[i], *read[i], gaps);
    if (statuses[i].ok()) out->AddAllocated(read[i].release());
  }
}

}  // namespace nsctl::nsdisc
