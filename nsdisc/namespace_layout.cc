#include "nsdisc/namespace_layout.h"

#include <algorithm>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace nsctl::nsdisc {
namespace {

using base::Btf;
using base::BtfMember;
using base::NamespaceType;

constexpr uint32_t kPointerSize = 8;
constexpr char kCommon[] = "ns_common";

// The pointers that lead from a task to a namespace, as the kernel calls them.
struct StartNames {
  NamespaceType type;
  const char* holder;
  const char* holder_structure;
  const char* pointer;
  const char* structure;
};

constexpr StartNames kStarts[] = {
    {NamespaceType::kMnt, "nsproxy", "nsproxy", "mnt_ns", "mnt_namespace"},
    {NamespaceType::kCgroup, "nsproxy", "nsproxy", "cgroup_ns", "cgroup_namespace"},
    {NamespaceType::kUts, "nsproxy", "nsproxy", "uts_ns", "uts_namespace"},
    {NamespaceType::kIpc, "nsproxy", "nsproxy", "ipc_ns", "ipc_namespace"},
    {NamespaceType::kUser, "cred", "cred", "user_ns", "user_namespace"},
    {NamespaceType::kPid, "nsproxy", "nsproxy", "pid_ns_for_children", "pid_namespace"},
    {NamespaceType::kNet, "nsproxy", "nsproxy", "net_ns", "net"},
    {NamespaceType::kTime, "nsproxy", "nsproxy", "time_ns", "time_namespace"},
};

class Finder {
 public:
  explicit Finder(const Btf& btf) : btf_(btf) {}

  // Of the first of `paths` that is there.
  absl::StatusOr<uint32_t> Offset(const char* structure, std::initializer_list<const char*> paths,
                                  uint32_t size) {
    for (const char* path : paths) {
      const std::optional<BtfMember> member = btf_.FindMember(structure, path);
      if (member.has_value() && member->size == size) return member->offset;
    }
    return absl::UnimplementedError(
        absl::StrCat("no list of namespaces that is known: no ", structure, ".", *paths.begin()));
  }

  // The same in struct ns_common, of which as much is then taken.
  absl::Status Common(std::initializer_list<const char*> paths, uint32_t size, uint32_t* offset) {
    NSCTL_ASSIGN_OR_RETURN(*offset, Offset(kCommon, paths, size));
    end_ = std::max(end_, uint64_t{*offset} + size);
    return absl::OkStatus();
  }

  uint64_t end() const { return end_; }

 private:
  const Btf& btf_;
  uint64_t end_ = 0;
};

absl::StatusOr<NamespaceLayout::Start> FindStart(const Btf& btf, const StartNames& names) {
  Finder finder(btf);
  NamespaceLayout::Start start{names.type};
  NSCTL_ASSIGN_OR_RETURN(start.holder, finder.Offset("task_struct", {names.holder}, kPointerSize));
  NSCTL_ASSIGN_OR_RETURN(start.pointer,
                         finder.Offset(names.holder_structure, {names.pointer}, kPointerSize));
  NSCTL_ASSIGN_OR_RETURN(start.common,
                         finder.Offset(names.structure, {"ns"}, btf.SizeOf(kCommon).value_or(0)));
  return start;
}

}  // namespace

absl::StatusOr<NamespaceLayout> FindNamespaceLayout(const Btf& btf) {
  NamespaceLayout layout;
  Finder finder(btf);
  // The list first: it is what earlier kernels lack. Its second name is that of Linux 6.18.
  NSCTL_RETURN_IF_ERROR(finder.Common({"ns_tree_node.ns_list_entry.next", "ns_list_node.next"},
                                      kPointerSize, &layout.next));
  NSCTL_RETURN_IF_ERROR(finder.Common({"ns_type"}, sizeof(uint32_t), &layout.type));
  NSCTL_RETURN_IF_ERROR(finder.Common({"inum"}, sizeof(uint32_t), &layout.inode));
  NSCTL_RETURN_IF_ERROR(finder.Common({"ns_id"}, sizeof(uint64_t), &layout.kernel_id));
  NSCTL_RETURN_IF_ERROR(finder.Common({"ops"}, kPointerSize, &layout.operations));
  NSCTL_RETURN_IF_ERROR(finder.Common({"__ns_ref"}, sizeof(uint32_t), &layout.references));
  if (btf.FindMember(kCommon, "__ns_ref_active").has_value()) {
    layout.active_references.emplace();
    NSCTL_RETURN_IF_ERROR(
        finder.Common({"__ns_ref_active"}, sizeof(uint32_t), &*layout.active_references));
  }
  if (finder.end() > kMaxNamespaceImage) {
    return absl::UnimplementedError(
        absl::StrCat("no list of namespaces that is known: ns_common of ", finder.end(), " bytes"));
  }
  layout.image_size = static_cast<uint32_t>((finder.end() + 7) / 8 * 8);
  for (const StartNames& names : kStarts) {
    if (!btf.FindMember(names.holder_structure, names.pointer).has_value()) continue;
    NSCTL_ASSIGN_OR_RETURN(NamespaceLayout::Start start, FindStart(btf, names));
    layout.starts.push_back(start);
  }
  return layout;
}

}  // namespace nsctl::nsdisc
