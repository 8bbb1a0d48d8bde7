#include "nsdisc/diff_rules.h"

#include <cstddef>
#include <initializer_list>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

struct FieldOfSection {
  absl::string_view section;
  absl::string_view path;
};

constexpr FieldOfSection kIdentityFields[] = {
    {"namespaces", "type"},
    {"namespaces", "inode"},
    {"namespaces", "device_major"},
    {"namespaces", "device_minor"},
    {"namespaces", "kernel_id"},
    {"processes", "pid"},
    {"processes", "start_time"},
    {"processes", "pidfd_inode"},
    // Indices; what they refer to is compared instead.
    {"processes", "cgroups"},
    {"processes", "container"},
    {"containers", "native_namespace"},
    {"containers", "id"},
    // How well the rest is known.
    {"processes", "namespaces_error"},
};

constexpr FieldOfSection kImpliedFields[] = {
    // Processes, and other namespaces, that came or went.
    {"namespaces", "children"},
    {"namespaces", "leaders"},
    {"namespaces", "ealdorman"},
    {"namespaces", "loose_threads"},
    {"namespaces", "for_children_of"},
    {"namespaces", "process_count"},
    // The best of several ways.
    {"namespaces", "reference"},
    // Counters; sockets come and go all the time.
    {"namespaces", "mount_count"},
    {"namespaces", "ipc_counts.messages"},
    {"namespaces", "fd_count"},
    {"namespaces", "sockets"},
    {"namespaces", "socket_count"},
    {"namespaces", "bind_mount_count"},
    // Of an engine that was restarted.
    {"containers", "engine"},
    {"containers", "engine_pid"},
    {"containers", "views"},
    {"processes", "state"},
    {"processes", "thread_count"},
};

// Fields with a presence of their own whose absence is a fact.
constexpr absl::string_view kTrulyOptional[] = {"nsid", "namespaces.pid_for_children",
                                                "namespaces.time_for_children"};

template <size_t size>
bool Has(const FieldOfSection (&fields)[size], absl::string_view section, absl::string_view path) {
  return absl::c_any_of(fields, [&](const FieldOfSection& field) {
    return field.section == section && field.path == path;
  });
}

bool IsOneOf(absl::string_view path, std::initializer_list<absl::string_view> paths) {
  return absl::c_linear_search(paths, path);
}

std::string PidSubject(int32_t pid) { return absl::StrCat("pid:", pid); }

}  // namespace

bool IsIdentity(absl::string_view section, absl::string_view path) {
  return Has(kIdentityFields, section, path);
}

bool IsImplied(absl::string_view section, absl::string_view path) {
  return Has(kImpliedFields, section, path);
}

DiffSide::DiffSide(const Snapshot& snapshot)
    : snapshot_(snapshot), index_(snapshot), pids_(index_) {
  for (const Gap& gap : snapshot.gaps()) {
    gaps_.insert(gap.subject());
    hides_processes_ |= gap.subject() == "host" && gap.operation() == "mount option hidepid";
  }
}

bool DiffSide::Used(SourceReport::Source source) const {
  return absl::c_any_of(snapshot_.statistics().sources(), [&](const SourceReport& report) {
    return report.source() == source && report.state() == SourceReport::used;
  });
}

bool DiffSide::IsUnknown(const Process& process, absl::string_view path) const {
  if (HasGap(PidSubject(process.pid()))) return true;
  if (absl::StartsWith(path, "namespaces.")) return !process.namespaces_error().empty();
  const bool has_detail = process.has_uid() || process.has_cgroups();
  const bool is_detail = IsOneOf(path, {"command_line", "uid", "user", "namespaced_pids", "cgroup",
                                        "frozen", "scheduling.cpus_allowed"});
  if (is_detail && !has_detail) return true;
  // A user's name may be none; a uid and a cgroup always are.
  return IsOneOf(path, {"uid", "cgroup", "frozen"});
}

bool DiffSide::IsUnknown(const Namespace& ns, absl::string_view path) const {
  if (IsOneOf(path, {"fds"})) return !Used(SourceReport::fds);
  if (IsOneOf(path, {"sockets"})) return !Used(SourceReport::sockets);
  if (IsOneOf(path, {"bind_mounts", "names"})) return !Used(SourceReport::bind_mounts);
  if (IsOneOf(path, {"dark", "initial", "awaits_first_process"})) return false;
  if (absl::c_linear_search(kTrulyOptional, path)) return false;
  const std::optional<NamespaceType> type = FromProto(ns.type());
  if (type.has_value() && HasGap(base::NamespaceLinkText(*type, ns.inode()))) return true;
  // Maps, offsets and names are read through a process.
  if (ns.has_ealdorman() && HasGap(PidSubject(ns.ealdorman()))) return true;
  if (!ns.has_ealdorman() && IsOneOf(path, {"uid_map", "gid_map", "clock_offsets"})) return true;
  if (absl::StartsWith(path, "ipc_counts")) return true;
  return IsOneOf(path, {"owner", "parent", "owner_uid", "owner_user", "setgroups_allowed",
                        "hostname", "domainname", "mount_count"});
}

void DiffSide::SetCounterparts(
    const DiffSide& other,
    const absl::flat_hash_map<const Process*, const Process*>& counterparts) {
  absl::flat_hash_set<const Process*> known_to_none;
  for (const Process& process : other.snapshot_.processes()) {
    const auto found = counterparts.find(&process);
    if (found != counterparts.end() && !process.namespaces_error().empty()) {
      known_to_none.insert(found->second);
    }
  }
  for (const Process& process : snapshot_.processes()) {
    if (!process.namespaces_error().empty() && !known_to_none.contains(&process)) {
      veiled_.push_back(&process);
    }
  }
}

std::string DiffSide::WhyUnseen(const Namespace& ns, const DiffSide& other) const {
  if (!FromProto(ns.type()).has_value()) return "its type is not known";
  // Another one that has its number has it alone.
  if (index_.FindNamespace(*FromProto(ns.type()), ns.inode()) != nullptr) return "";
  if (hides_processes_) return "processes are hidden";
  std::string why = WhyMembersAreUnseen(ns, other);
  if (why.empty()) why = WhyHoldersAreUnseen(ns, other);
  if (why.empty()) why = WhyRelativesAreUnseen(ns, other);
  return why;
}

std::string DiffSide::WhyMembersAreUnseen(const Namespace& ns, const DiffSide& other) const {
  const NamespaceType type = *FromProto(ns.type());
  const auto is_veiled = [&](const Process& process) {
    return !NamespaceOf(process.namespaces(), type).has_value();
  };
  const auto first = absl::c_find_if(veiled_, [&](const Process* one) { return is_veiled(*one); });
  if (first == veiled_.end()) return "";
  // One that was in it tells more than one that may be in it.
  for (const Process* process : veiled_) {
    const Process* const there = other.index_.FindProcess(process->pid());
    if (is_veiled(*process) && there != nullptr && there->start_time() == process->start_time() &&
        NamespaceOf(there->namespaces(), type) == ns.inode()) {
      return absl::StrCat("the namespaces of process ", process->pid(), ", which is in it, are ",
                          "unknown (", process->namespaces_error(), ")");
    }
  }
  const auto count = absl::c_count_if(veiled_, [&](const Process* one) { return is_veiled(*one); });
  const std::string error = absl::StrCat("unknown (", (*first)->namespaces_error(), ")");
  if (count == 1) {
    return absl::StrCat("the namespaces of process ", (*first)->pid(), " are ", error);
  }
  return absl::StrCat("the namespaces of ", count, " processes, such as ", (*first)->pid(),
                      ", are ", error);
}

std::string DiffSide::WhyHoldersAreUnseen(const Namespace& ns, const DiffSide& other) const {
  if (ns.process_count() > 0) return "";
  if (snapshot_.options().threads() < other.snapshot_.options().threads() &&
      ns.loose_threads_size() > 0) {
    return "threads were not looked at";
  }
  for (const SourceReport& report : other.snapshot_.statistics().sources()) {
    if (report.state() == SourceReport::used && !Used(report.source())) {
      return absl::StrCat("the source ", SourceReport::Source_Name(report.source()),
                          " was not looked at");
    }
  }
  for (const FdHolder& holder : ns.fds()) {
    if (HasGap(PidSubject(holder.pid()))) {
      return absl::StrCat("not all of process ", holder.pid(), " could be read");
    }
  }
  for (const BindMount& mount : ns.bind_mounts()) {
    const std::string subject =
        base::NamespaceLinkText(NamespaceType::kMnt, mount.mount_namespace());
    if (HasGap(subject)) return absl::StrCat("not all of ", subject, " could be read");
  }
  return "";
}

// The parent or owner of a namespace that is here and does not tell.
std::string DiffSide::WhyRelativesAreUnseen(const Namespace& ns, const DiffSide& other) const {
  const auto hides_it = [&](const Namespace& relative, bool is_child) {
    const std::optional<NamespaceType> type = FromProto(relative.type());
    const Namespace* const here =
        type.has_value() ? index_.FindNamespace(*type, relative.inode()) : nullptr;
    return here != nullptr && !(is_child ? here->has_parent() : here->has_owner());
  };
  for (const uint32_t inode : ns.children()) {
    const Namespace* const child = other.index_.FindNamespace(*FromProto(ns.type()), inode);
    if (child != nullptr && hides_it(*child, true)) {
      return absl::StrCat("the parent of ", base::NamespaceLinkText(*FromProto(ns.type()), inode),
                          " is unknown");
    }
  }
  if (ns.type() != Namespace::user) return "";
  for (const Namespace* owned : other.index_.OwnedBy(ns.inode())) {
    if (hides_it(*owned, false)) {
      return absl::StrCat("the owner of ",
                          base::NamespaceLinkText(*FromProto(owned->type()), owned->inode()),
                          " is unknown");
    }
  }
  return "";
}

}  // namespace nsctl::nsdisc
