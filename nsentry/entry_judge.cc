#include "nsentry/entry_judge.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/nsfs.h"
#include "base/status_macros.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceId;
using base::NamespaceType;

// The kernel nests PID namespaces 32 deep (kernel/pid_namespace.c).
constexpr size_t kMaxPidDepth = 64;

// What joining a namespace of `type` asks for in the user namespace that the caller is in by then;
// 0 for none.
int MissingInOwn(const Standing& standing, NamespaceType type) {
  if (!standing.Has(kCapSysAdmin)) return kCapSysAdmin;
  if (type == NamespaceType::kMnt && !standing.Has(kCapSysChroot)) return kCapSysChroot;
  return 0;
}

absl::StatusOr<NamespaceId> OwnNamespace(const procfsroot::ProcessDir& self, const char* entry) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd fd, self.OpenNamespace(entry));
  return base::NamespaceIdOf(fd);
}

}  // namespace

absl::StatusOr<EntryJudge> EntryJudge::ForCaller(const procfsroot::ProcessDir& self) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd user, self.OpenNamespace("user"));
  NSCTL_ASSIGN_OR_RETURN(const NamespaceId id, base::NamespaceIdOf(user));
  NSCTL_ASSIGN_OR_RETURN(const Standing standing, OwnStanding(id));
  NSCTL_ASSIGN_OR_RETURN(const NamespaceId pid, OwnNamespace(self, "pid"));
  return EntryJudge(standing, pid, {{.id = id, .owner_uid = std::nullopt}});
}

const EntryJudge::Chain& EntryJudge::OwnersOf(const EntryStep& step) {
  const auto [found, is_new] = owners_.try_emplace(*step.wanted);
  if (!is_new) return found->second;
  const absl::StatusOr<base::OwnedFd> owner = base::OpenOwner(step.fd);
  if (!owner.ok()) return found->second;
  const absl::StatusOr<NamespaceId> id = base::NamespaceIdOf(*owner);
  if (id.ok() && *id == own_.user_namespace) {
    // By far the most frequent, and known.
    found->second = own_chain_;
  } else if (absl::StatusOr<Chain> chain = ReadUserNamespaceChain(*owner, own_.user_namespace);
             chain.ok()) {
    found->second = *std::move(chain);
  }
  return found->second;
}

void EntryJudge::Blame(int capability, std::optional<uint32_t> user_namespace,
                       EntryStep* step) const {
  const std::string where =
      user_namespace.has_value()
          ? base::NamespaceLinkText(NamespaceType::kUser, *user_namespace)
          : "the user namespace that owns it, which is not below the caller's";
  step->obstacles.push_back({capability, user_namespace,
                             absl::StrCat("needs ", NameOfCapability(capability), " in ", where)});
}

bool EntryJudge::BlameForLooking(int pid, EntryStep* step) const {
  // By ptrace_may_access (kernel/ptrace.c). Where the process's own user namespace is cannot be
  // looked at either; one that is not below the caller's is above it.
  if (!own_.Has(kCapSysPtrace)) {
    Blame(kCapSysPtrace, own_.user_namespace.inode, step);
    return true;
  }
  if (own_.user_namespace.inode == base::InfoOf(NamespaceType::kUser).initial_inode) return false;
  step->obstacles.push_back(
      {kCapSysPtrace, std::nullopt,
       absl::StrCat("needs CAP_SYS_PTRACE in the user namespace of process ", pid,
                    ", which is not below the caller's ",
                    base::NamespaceLinkText(NamespaceType::kUser, own_.user_namespace.inode))});
  return true;
}

JoinedUser EntryJudge::JudgeUser(EntryStep* step) {
  if (!step->wanted.has_value() || !step->obstacles.empty()) return {};
  const uint32_t inode = step->wanted->inode;
  if (*step->wanted == own_.user_namespace) {
    step->obstacles.push_back({.text = "the caller is in this user namespace already"});
    return {};
  }
  JoinedUser joined;
  if (absl::StatusOr<Chain> chain = ReadUserNamespaceChain(step->fd, own_.user_namespace);
      chain.ok()) {
    joined.chain = *std::move(chain);
  }
  if (joined.chain.size() > 1) step->owner = joined.chain[1].id.inode;
  if (!HasCapabilityIn(own_, joined.chain, kCapSysAdmin)) {
    Blame(kCapSysAdmin, inode, step);
    return {};
  }
  joined.standing = own_.AfterJoining(*step->wanted);
  return joined;
}

void EntryJudge::CheckIsBelowOwnPidNamespace(EntryStep* step) const {
  base::OwnedFd held;
  base::FdRef current = step->fd;
  NamespaceId id = *step->wanted;
  for (size_t depth = 0; depth < kMaxPidDepth && id != pid_namespace_; ++depth) {
    absl::StatusOr<base::OwnedFd> parent = base::OpenParent(current);
    if (!parent.ok()) break;
    held = *std::move(parent);
    current = held;
    const absl::StatusOr<NamespaceId> next = base::NamespaceIdOf(current);
    if (!next.ok()) break;
    id = *next;
  }
  if (id == pid_namespace_) return;
  step->obstacles.push_back(
      {.text = absl::StrCat("it is not below the caller's ",
                            base::NamespaceLinkText(NamespaceType::kPid, pid_namespace_.inode))});
}

EntryJudge::When EntryJudge::Judge(const JoinedUser& joined, EntryStep* step) {
  if (!step->wanted.has_value() || !step->obstacles.empty()) return When::kAfterUser;
  const Chain& owners = OwnersOf(*step);
  if (!owners.empty()) step->owner = owners.front().id.inode;
  if (step->type == NamespaceType::kPid) CheckIsBelowOwnPidNamespace(step);
  if (!step->obstacles.empty()) return When::kAfterUser;
  if (joined.standing.has_value() && HasCapabilityIn(*joined.standing, owners, kCapSysAdmin)) {
    return When::kAfterUser;
  }
  const int missing = MissingInOwn(own_, step->type);
  if (!HasCapabilityIn(own_, owners, kCapSysAdmin)) {
    Blame(kCapSysAdmin, step->owner, step);
  } else if (missing != 0) {
    Blame(missing, own_.user_namespace.inode, step);
  } else {
    return When::kBeforeUser;
  }
  return When::kAfterUser;
}

bool EntryJudge::AllowsAtOnce(const JoinedUser& joined, const EntryStep& step) const {
  if (step.type == NamespaceType::kUser) return joined.standing.has_value();
  const auto owners = owners_.find(*step.wanted);
  if (owners == owners_.end() || !HasCapabilityIn(own_, owners->second, kCapSysAdmin)) return false;
  if (!joined.standing.has_value()) return MissingInOwn(own_, step.type) == 0;
  return HasCapabilityIn(own_, joined.chain, kCapSysAdmin) &&
         (step.type != NamespaceType::kMnt || HasCapabilityIn(own_, joined.chain, kCapSysChroot));
}

}  // namespace nsctl::nsentry
