#include "cmd/exec_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/exec_find_namespace.h"
#include "cmd/target.h"
#include "cmd/usage.h"
#include "nsentry/namespace_reference.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsentry::NamespaceReference;
using procfsroot::GuardedProcess;

// In which order --user-parent looks for the first of the others: nsenter's.
constexpr NamespaceType kOrder[] = {
    NamespaceType::kUser, NamespaceType::kCgroup, NamespaceType::kIpc, NamespaceType::kUts,
    NamespaceType::kNet,  NamespaceType::kPid,    NamespaceType::kMnt, NamespaceType::kTime};

uint32_t FlagOf(NamespaceType type) { return base::InfoOf(type).clone_flag; }

// What looks like a container's name, and is there as a file.
absl::Status WithHint(const absl::Status& status, const Target& target, const std::string& word) {
  const bool is_container = std::holds_alternative<ContainerTarget>(target) ||
                            std::holds_alternative<ContainerIdTarget>(target);
  if (!is_container || faccessat(AT_FDCWD, word.c_str(), F_OK, AT_EACCESS) != 0) return status;
  return absl::NotFoundError(absl::StrCat(
      status.message(), "; a path begins with a dot: ", QuotedArgument(absl::StrCat("./", word))));
}

class Resolver {
 public:
  Resolver(const ExecSettings& settings, const ExecContainers& containers,
           const procfsroot::Procfs& procfs, const nsdisc::Questions& questions)
      : settings_(settings), containers_(containers), procfs_(procfs), questions_(questions) {}

  absl::StatusOr<ExecTarget> Resolve(const std::string& target);

 private:
  absl::Status TakeTarget(const Target& target);
  absl::Status TakeProcess(const ProcessTarget& target);
  absl::Status TakeOption(NamespaceType type, const std::string& value);
  absl::Status TakeSocket();
  absl::Status TakeUserParent();
  absl::Status NeedsProcess(absl::string_view what) const;
  void Add(NamespaceReference reference);

  const ExecSettings& settings_;
  const ExecContainers& containers_;
  const procfsroot::Procfs& procfs_;
  const nsdisc::Questions& questions_;
  ExecTarget result_;
};

void Resolver::Add(NamespaceReference reference) {
  std::vector<NamespaceReference>& references = result_.request.references;
  const auto same = [&](const NamespaceReference& known) { return known.type == reference.type; };
  references.erase(std::remove_if(references.begin(), references.end(), same), references.end());
  references.push_back(std::move(reference));
}

absl::Status Resolver::NeedsProcess(absl::string_view what) const {
  if (result_.process != nullptr) return absl::OkStatus();
  return UsageError(absl::StrCat(what, " needs a TARGET that is a process"));
}

absl::Status Resolver::TakeProcess(const ProcessTarget& target) {
  absl::StatusOr<GuardedProcess> process =
      GuardedProcess::Open(procfs_, target.pid, target.pidfd_inode, GuardedProcess::Hold::kPidfd);
  if (base::IsGone(process.status())) {
    return base::ErrnoStatus(ESRCH, "find", absl::StrCat("process ", ToString(target)));
  }
  if (!process.ok()) return process.status();
  if (target.start_time.value_or(process->start_time()) != process->start_time()) {
    return base::ErrnoStatus(ESRCH, "find", absl::StrCat("process ", ToString(target)));
  }
  result_.process = std::make_unique<GuardedProcess>(*std::move(process));
  result_.request.process = result_.process.get();
  result_.request.all_types = settings_.all || !settings_.AsksForNamespaces();
  return absl::OkStatus();
}

absl::Status Resolver::TakeTarget(const Target& target) {
  if (const auto* process = std::get_if<ProcessTarget>(&target)) return TakeProcess(*process);
  if (const auto* ns = std::get_if<NamespaceTarget>(&target)) {
    NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference,
                           FindNamespaceByInode(procfs_, questions_, ns->type, ns->inode));
    Add(std::move(reference));
    return absl::OkStatus();
  }
  if (const auto* path = std::get_if<PathTarget>(&target)) {
    NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference, nsentry::OpenNamespaceAt(path->path));
    Add(std::move(reference));
    return absl::OkStatus();
  }
  const auto container = containers_.find(ToString(target));
  if (container == containers_.end()) {
    return absl::NotFoundError(absl::StrCat("no container ", QuotedArgument(ToString(target))));
  }
  NSCTL_RETURN_IF_ERROR(container->second.status());
  return TakeProcess(std::get<ProcessTarget>(*container->second));
}

absl::Status Resolver::TakeOption(NamespaceType type, const std::string& value) {
  if (value == kOfTarget) {
    const bool is_target =
        std::any_of(result_.request.references.begin(), result_.request.references.end(),
                    [&](const NamespaceReference& known) { return known.type == type; });
    // `exec -n /run/netns/x`: the target is that very namespace.
    if (result_.process == nullptr && is_target) return absl::OkStatus();
    NSCTL_RETURN_IF_ERROR(
        NeedsProcess(absl::StrCat("the ", base::InfoOf(type).name, " namespace without a file")));
    result_.request.types |= FlagOf(type);
    return absl::OkStatus();
  }
  uint64_t id = 0;
  if (value[0] == ':') {
    if (!absl::SimpleAtoi(value.substr(1), &id)) {
      return UsageError(absl::StrCat(QuotedArgument(value), " is no namespace id: :NUMBER"));
    }
    NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference,
                           FindNamespaceById(procfs_, questions_, type, id));
    Add(std::move(reference));
    return absl::OkStatus();
  }
  const absl::StatusOr<Target> parsed = ParseTarget(value);
  const auto* const ns = parsed.ok() ? std::get_if<NamespaceTarget>(&*parsed) : nullptr;
  if (ns != nullptr && ns->type != type) {
    return UsageError(
        absl::StrCat(QuotedArgument(value), " is not a ", base::InfoOf(type).name, " namespace"));
  }
  NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference,
                         ns != nullptr
                             ? FindNamespaceByInode(procfs_, questions_, ns->type, ns->inode)
                             : nsentry::OpenNamespaceAt(value, type));
  Add(std::move(reference));
  return absl::OkStatus();
}

absl::Status Resolver::TakeSocket() {
  NSCTL_RETURN_IF_ERROR(NeedsProcess("--net-socket"));
  int fd = 0;
  if (!absl::SimpleAtoi(settings_.net_socket, &fd) || fd < 0) {
    return UsageError(absl::StrCat("--net-socket needs a descriptor, not ",
                                   QuotedArgument(settings_.net_socket)));
  }
  NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference,
                         nsentry::OpenNetworkNamespaceOfSocket(*result_.process, fd));
  Add(std::move(reference));
  return absl::OkStatus();
}

absl::Status Resolver::TakeUserParent() {
  for (const NamespaceType type : kOrder) {
    for (const NamespaceReference& known : result_.request.references) {
      if (known.type != type) continue;
      NSCTL_ASSIGN_OR_RETURN(NamespaceReference owner, nsentry::OpenOwnerOf(known));
      Add(std::move(owner));
      return absl::OkStatus();
    }
    const bool of_process =
        result_.request.all_types || (result_.request.types & FlagOf(type)) != 0;
    if (!of_process) continue;
    NSCTL_ASSIGN_OR_RETURN(const NamespaceReference own,
                           nsentry::OpenNamespaceOf(*result_.process, type));
    NSCTL_ASSIGN_OR_RETURN(NamespaceReference owner, nsentry::OpenOwnerOf(own));
    Add(std::move(owner));
    return absl::OkStatus();
  }
  return UsageError("--user-parent needs another namespace");
}

absl::StatusOr<ExecTarget> Resolver::Resolve(const std::string& target) {
  if (!target.empty()) {
    const absl::StatusOr<Target> parsed = ParseTarget(target);
    // Not wrong usage: a script that passes on what it was told must not take the status for its
    // command's.
    if (!parsed.ok()) return absl::InvalidArgumentError(parsed.status().message());
    if (const absl::Status status = TakeTarget(*parsed); !status.ok()) {
      return WithHint(status, *parsed, target);
    }
  }
  if (settings_.all) NSCTL_RETURN_IF_ERROR(NeedsProcess("--all"));
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::string& value = settings_.namespaces[static_cast<size_t>(info.type)];
    if (!value.empty()) NSCTL_RETURN_IF_ERROR(TakeOption(info.type, value));
  }
  if (!settings_.net_socket.empty()) NSCTL_RETURN_IF_ERROR(TakeSocket());
  if (settings_.user_parent) NSCTL_RETURN_IF_ERROR(TakeUserParent());
  return std::move(result_);
}

}  // namespace

absl::StatusOr<ExecTarget> ResolveExecTarget(const ExecSettings& settings,
                                             const std::string& target,
                                             const ExecContainers& containers,
                                             const procfsroot::Procfs& procfs,
                                             const nsdisc::Questions& questions) {
  return Resolver(settings, containers, procfs, questions).Resolve(target);
}

}  // namespace nsctl::cmd
