#include "cmd/pid_reference.h"

#include <cstddef>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cmd/container_search.h"
#include "cmd/target.h"
#include "cmd/target_in_snapshot.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;

// SimpleAtoi takes blanks and signs as well.
bool ParseInode(absl::string_view text, uint32_t* inode) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return absl::SimpleAtoi(text, inode);
}

}  // namespace

absl::StatusOr<PidReference> ParsePidReference(absl::string_view word) {
  // The names of containers, and of their engines, may have an "@".
  const absl::StatusOr<Target> whole = ParseTarget(word);
  if (whole.ok() && IsContainer(*whole)) return PidReference{.pid = {0}, .container = *whole};
  const size_t at = word.find('@');
  const absl::StatusOr<Target> target = ParseTarget(word.substr(0, at));
  const auto* const process = target.ok() ? std::get_if<ProcessTarget>(&*target) : nullptr;
  if (process == nullptr) {
    return UsageError(absl::StrCat("not a PID: ", QuotedArgument(word),
                                   "; it is written 7, or 7@pid:[INODE] where 7 is its number in "
                                   "that PID namespace"));
  }
  PidReference reference{.pid = process->pid, .pidfd_inode = process->pidfd_inode};
  if (at == absl::string_view::npos) return reference;
  const absl::StatusOr<NamespaceReference> ns = ParseNamespaceReference(word.substr(at + 1));
  if (!ns.ok() || ns->type.value_or(NamespaceType::kPid) != NamespaceType::kPid) {
    return UsageError(absl::StrCat("not a PID namespace: ", QuotedArgument(word.substr(at + 1)),
                                   "; it is written pid:[INODE] or pid:INODE"));
  }
  reference.pid_namespace = ns->inode;
  return reference;
}

absl::StatusOr<std::vector<PidReference>> ParsePidReferences(
    const std::vector<std::string>& lists) {
  std::vector<PidReference> references;
  for (const std::string& word : SplitLists(lists)) {
    NSCTL_ASSIGN_OR_RETURN(const PidReference reference, ParsePidReference(word));
    references.push_back(reference);
  }
  return references;
}

bool NameContainer(const std::vector<PidReference>& references) {
  return absl::c_any_of(references,
                        [](const PidReference& one) { return one.container.has_value(); });
}

std::string ToString(const PidReference& reference) {
  if (reference.container.has_value()) return ToString(*reference.container);
  std::string text = ToString(Target(ProcessTarget{reference.pid, reference.pidfd_inode}));
  if (reference.pid_namespace.has_value()) {
    absl::StrAppend(&text, "@",
                    base::NamespaceLinkText(NamespaceType::kPid, *reference.pid_namespace));
  }
  return text;
}

absl::StatusOr<NamespaceReference> ParseNamespaceReference(absl::string_view word) {
  NamespaceReference reference{.type = std::nullopt, .inode = 0};
  if (ParseInode(word, &reference.inode)) return reference;
  const absl::StatusOr<Target> target = ParseTarget(word);
  const auto* const ns = target.ok() ? std::get_if<NamespaceTarget>(&*target) : nullptr;
  if (ns == nullptr) {
    return UsageError(absl::StrCat("not a namespace: ", QuotedArgument(word),
                                   "; it is written TYPE:[INODE] or TYPE:INODE, as in "
                                   "net:[4026531840]"));
  }
  return NamespaceReference{.type = ns->type, .inode = ns->inode};
}

absl::StatusOr<const Process*> FindProcess(const PidReference& reference,
                                           const nsdisc::SnapshotIndex& index,
                                           const nsdisc::PidMap& pids) {
  if (reference.container.has_value()) {
    NSCTL_ASSIGN_OR_RETURN(const TargetInSnapshot found, FindPlaceIn(index, *reference.container));
    return found.process;
  }
  if (reference.pid_namespace.has_value()) {
    NSCTL_RETURN_IF_ERROR(
        FindNamespace({NamespaceType::kPid, *reference.pid_namespace}, index).status());
  }
  const Process* const process = reference.pid_namespace.has_value()
                                     ? pids.Find(reference.pid.value, *reference.pid_namespace)
                                     : index.FindProcess(reference.pid.value);
  if (process == nullptr) return absl::NotFoundError("no process " + ToString(reference));
  if (reference.pidfd_inode.has_value() && process->has_pidfd_inode() &&
      process->pidfd_inode() != *reference.pidfd_inode) {
    return absl::NotFoundError(absl::StrCat("no process ", ToString(reference),
                                            ": the pidfd of the one that has the number now has "
                                            "the inode number ",
                                            process->pidfd_inode()));
  }
  return process;
}

absl::StatusOr<const Namespace*> FindNamespace(const NamespaceReference& reference,
                                               const nsdisc::SnapshotIndex& index) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    if (reference.type.has_value() && *reference.type != info.type) continue;
    const Namespace* const ns = index.FindNamespace(info.type, reference.inode);
    if (ns != nullptr) return ns;
  }
  return absl::NotFoundError(
      absl::StrCat("no namespace ", reference.type.has_value()
                                        ? base::NamespaceLinkText(*reference.type, reference.inode)
                                        : absl::StrCat(reference.inode)));
}

}  // namespace nsctl::cmd
