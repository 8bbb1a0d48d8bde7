#include "cmd/exec_identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/ask_apart.h"
#include "cmd/exec_accounts.h"
#include "cmd/usage.h"
#include "nsentry/standing.h"
#include "procfsroot/mount_namespace_root.h"
#include "procfsroot/process_files.h"
#include "procfsroot/process_identity.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using procfsroot::ProcessIdentity;

constexpr size_t kMaxAccounts = 16 << 20;
// Each step below has a limit of its own and says more where it is reached.
constexpr absl::Duration kPatience = absl::Seconds(6);
constexpr size_t kMaxIdMap = 64 << 10;
constexpr char kFollow[] = "follow";
constexpr char kDefaultShell[] = "/bin/sh";

absl::StatusOr<base::OwnedFd> Duplicate(const base::OwnedFd& fd) {
  const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "dup", fd.path());
  }
  return base::OwnedFd(copy, fd.path());
}

class CredentialResolver {
 public:
  CredentialResolver(const ExecSettings& settings, const nsentry::EntryPlan& plan,
                     const procfsroot::GuardedProcess* process, const InnerRoot& root)
      : settings_(settings), plan_(plan), process_(process), root_(root) {}

  absl::StatusOr<Credentials> Resolve();

 private:
  absl::Status ReadTarget();
  // What is id `outside` to nsctl, to the command. `map` is "uid_map" or "gid_map".
  absl::StatusOr<uint32_t> Inside(const char* map, uint32_t outside);
  absl::StatusOr<uid_t> User();
  absl::StatusOr<gid_t> Group();
  absl::Status TakeGroups(Credentials* credentials);
  void TakeCapabilities(Credentials* credentials) const;

  const ExecSettings& settings_;
  const nsentry::EntryPlan& plan_;
  const procfsroot::GuardedProcess* process_;
  const InnerRoot& root_;
  ProcessIdentity target_;
};

absl::Status CredentialResolver::ReadTarget() {
  if (process_ == nullptr)
    return UsageError("the target's identity needs a TARGET that is a process");
  NSCTL_ASSIGN_OR_RETURN(const std::string text,
                         process_->directory().Read("status", procfsroot::kMaxStatus));
  absl::StatusOr<ProcessIdentity> identity = procfsroot::ParseProcessIdentity(text);
  if (!identity.ok()) return base::Annotate(identity.status(), "status of the target");
  target_ = *std::move(identity);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> CredentialResolver::Inside(const char* map, uint32_t outside) {
  if (!plan_.Enters(NamespaceType::kUser)) return outside;
  NSCTL_ASSIGN_OR_RETURN(const std::string text, process_->directory().Read(map, kMaxIdMap));
  const absl::StatusOr<std::optional<uint32_t>> inside = procfsroot::MapIdInside(text, outside);
  if (!inside.ok()) return base::Annotate(inside.status(), absl::StrCat(map, " of the target"));
  if (inside->has_value()) return **inside;
  return absl::FailedPreconditionError(absl::StrCat("host ",
                                                    absl::StartsWith(map, "uid") ? "uid " : "gid ",
                                                    outside, " of the target is not in its ", map));
}

absl::StatusOr<uid_t> CredentialResolver::User() {
  if (settings_.user == kFollow) return Inside("uid_map", target_.effective_uid);
  if (const auto number = ParseAccountNumber(settings_.user)) return *number;
  const absl::StatusOr<std::string> passwd = root_.ReadAccounts("passwd");
  if (!passwd.ok()) {
    return base::Annotate(passwd.status(),
                          absl::StrCat("find user ", QuotedArgument(settings_.user)));
  }
  if (const auto user = FindUser(*passwd, settings_.user)) return user->uid;
  return absl::NotFoundError(absl::StrCat("no user ", QuotedArgument(settings_.user)));
}

absl::StatusOr<gid_t> CredentialResolver::Group() {
  if (settings_.group == kFollow) return Inside("gid_map", target_.effective_gid);
  if (const auto number = ParseAccountNumber(settings_.group)) return *number;
  const absl::StatusOr<std::string> group = root_.ReadAccounts("group");
  if (!group.ok()) {
    return base::Annotate(group.status(),
                          absl::StrCat("find group ", QuotedArgument(settings_.group)));
  }
  if (const auto gid = FindGroup(*group, settings_.group)) return *gid;
  return absl::NotFoundError(absl::StrCat("no group ", QuotedArgument(settings_.group)));
}

absl::Status CredentialResolver::TakeGroups(Credentials* credentials) {
  if (settings_.groups.empty()) {
    if (credentials->gid.has_value()) credentials->groups.emplace();
    return absl::OkStatus();
  }
  std::vector<gid_t>& groups = credentials->groups.emplace();
  for (const gid_t outside : target_.groups) {
    NSCTL_ASSIGN_OR_RETURN(const gid_t inside, Inside("gid_map", outside));
    groups.push_back(inside);
  }
  return absl::OkStatus();
}

// What execve(2) makes of the sets is what the target has (capabilities(7)): root gets its bounding
// set, everybody else what is ambient.
void CredentialResolver::TakeCapabilities(Credentials* credentials) const {
  const bool is_root = credentials->uid.value_or(geteuid()) == 0;
  CapabilitySets sets{.inheritable = target_.inheritable,
                      .permitted = target_.permitted,
                      .bounding = target_.bounding,
                      .ambient = target_.permitted};
  if (is_root) {
    sets.inheritable &= target_.permitted;
    sets.bounding = target_.permitted;
    sets.ambient = 0;
  } else {
    sets.inheritable |= target_.permitted;
  }
  credentials->capabilities = sets;
}

absl::StatusOr<Credentials> CredentialResolver::Resolve() {
  const bool of_target = settings_.user == kFollow || settings_.group == kFollow ||
                         !settings_.groups.empty() || !settings_.capabilities.empty();
  if (of_target) NSCTL_RETURN_IF_ERROR(ReadTarget());
  Credentials credentials;
  // As in nsenter: whoever comes into a user namespace is root there unless he says otherwise.
  const bool becomes_root = plan_.Enters(NamespaceType::kUser) && !settings_.preserve_credentials;
  if (becomes_root) {
    credentials.uid = 0;
    credentials.gid = 0;
    credentials.drop_groups_early = true;
    credentials.may_keep_groups = settings_.group.empty() && settings_.groups.empty();
  }
  if (!settings_.user.empty()) {
    NSCTL_ASSIGN_OR_RETURN(credentials.uid, User());
  }
  if (!settings_.group.empty()) {
    NSCTL_ASSIGN_OR_RETURN(credentials.gid, Group());
  }
  NSCTL_RETURN_IF_ERROR(TakeGroups(&credentials));
  credentials.keep_capabilities = settings_.keep_capabilities && plan_.Enters(NamespaceType::kUser);
  if (!settings_.capabilities.empty()) TakeCapabilities(&credentials);
  credentials.no_new_privileges = settings_.no_new_privileges;
  return credentials;
}

// By user_namespaces(7), where it can be known.
bool ForbidsGroups(const nsentry::EntryPlan& plan, const procfsroot::GuardedProcess* process,
                   const procfsroot::Procfs& procfs) {
  constexpr size_t kMaxWord = 64;
  absl::StatusOr<std::string> word = absl::NotFoundError("");
  if (!plan.Enters(NamespaceType::kUser)) {
    const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
    if (self.ok()) word = self->Read("setgroups", kMaxWord);
  } else if (process != nullptr) {
    word = process->directory().Read("setgroups", kMaxWord);
  }
  return word.ok() && *word == "deny\n";
}

}  // namespace

absl::StatusOr<procfsroot::Root> InnerRoot::Open() const {
  if (directory_.ok()) {
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd copy, Duplicate(directory_));
    return procfsroot::Root::OfFd(std::move(copy));
  }
  for (const nsentry::EntryStep& step : plan_.steps()) {
    if (step.type != NamespaceType::kMnt || !step.fd.ok()) continue;
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd copy, Duplicate(step.fd));
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::MountNamespaceRoot there,
                           procfsroot::MountNamespaceRoot::OfNamespace(std::move(copy)));
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd root, there.root().Resolve("/"));
    return procfsroot::Root::OfFd(std::move(root));
  }
  return procfsroot::Root::OfPath("/");
}

absl::StatusOr<std::string> InnerRoot::ReadAccounts(const char* file) const {
  const std::string path = absl::StrCat("/etc/", file);
  std::vector<base::FdRef> needed;
  if (directory_.ok()) needed.push_back(directory_);
  for (const nsentry::EntryStep& step : plan_.steps()) {
    if (step.type == NamespaceType::kMnt && step.fd.ok()) needed.push_back(step.fd);
  }
  return AskApart(absl::StrCat("read ", path), kPatience, needed,
                  [&]() -> absl::StatusOr<std::string> {
                    NSCTL_ASSIGN_OR_RETURN(const procfsroot::Root root, Open());
                    return root.ReadFile(path, kMaxAccounts);
                  });
}

absl::StatusOr<Credentials> ResolveCredentials(const ExecSettings& settings,
                                               const nsentry::EntryPlan& plan,
                                               const procfsroot::GuardedProcess* process,
                                               const InnerRoot& root) {
  return CredentialResolver(settings, plan, process, root).Resolve();
}

std::string InnerUserNamespace(const nsentry::EntryPlan& plan, const procfsroot::Procfs& procfs) {
  for (const nsentry::EntryStep& step : plan.steps()) {
    if (step.type != NamespaceType::kUser || !step.wanted.has_value()) continue;
    return base::NamespaceLinkText(NamespaceType::kUser, step.wanted->inode);
  }
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return "the user namespace";
  const procfsroot::NamespaceLinks links = self->ReadNamespaceLinks();
  return base::NamespaceLinkText(NamespaceType::kUser,
                                 links.in[static_cast<size_t>(NamespaceType::kUser)].inode);
}

std::string CredentialHint(absl::string_view step, int error, const Credentials& credentials,
                           const nsentry::EntryPlan& plan,
                           const procfsroot::GuardedProcess* process,
                           const procfsroot::Procfs& procfs) {
  const std::string inside = InnerUserNamespace(plan, procfs);
  const bool is_user = step == kSetUid;
  if (error == EINVAL) {
    if (is_user) return absl::StrCat("uid ", *credentials.uid, " is not mapped in ", inside);
    if (step == kSetGid)
      return absl::StrCat("gid ", *credentials.gid, " is not mapped in ", inside);
    return absl::StrCat("a group is not mapped in ", inside);
  }
  if (error != EPERM) return "";
  if (step == kSetGroups && ForbidsGroups(plan, process, procfs)) {
    return absl::StrCat(inside, " forbids setgroups");
  }
  return absl::StrCat(
      "needs ", nsentry::NameOfCapability(is_user ? nsentry::kCapSetuid : nsentry::kCapSetgid),
      " in ", inside);
}

std::string ShellOf(const Credentials& credentials, const InnerRoot& root) {
  const absl::StatusOr<std::string> passwd = root.ReadAccounts("passwd");
  if (!passwd.ok()) return kDefaultShell;
  const std::optional<UserAccount> user = FindUser(*passwd, credentials.uid.value_or(geteuid()));
  return user.has_value() && !user->shell.empty() ? user->shell : kDefaultShell;
}

}  // namespace nsctl::cmd
