// Judges the steps of an entry plan as setns(2) will: which capability is asked for in which user
// namespace, now or once another user namespace is joined.
//
// Every type needs CAP_SYS_ADMIN in the user namespace that owns the namespace. All but user need
// CAP_SYS_ADMIN also in the one that the caller is in by then, mnt CAP_SYS_CHROOT too. One setns(2)
// on a pidfd looks at the caller's present credentials for the former, and for the latter at the
// user namespace that is joined by the same call.
// Source: the install functions (kernel/nsproxy.c, fs/namespace.c, net/core/net_namespace.c).

#ifndef NSCTL_NSENTRY_ENTRY_JUDGE_H_
#define NSCTL_NSENTRY_ENTRY_JUDGE_H_

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "nsentry/entry_step.h"
#include "nsentry/standing.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsentry {

// The user namespace that a plan joins; empty where it joins none.
struct JoinedUser {
  std::optional<Standing> standing;
  // Of the user namespace itself.
  std::vector<UserNamespaceLink> chain;
};

class EntryJudge {
 public:
  // For the calling process, whose directory is `self`.
  static absl::StatusOr<EntryJudge> ForCaller(const procfsroot::ProcessDir& self);

  // Judges the step that joins a user namespace.
  JoinedUser JudgeUser(EntryStep* step);

  // When the step can be taken; kAfterUser also where it never can, and with no user namespace to
  // join.
  enum class When { kBeforeUser, kAfterUser };
  When Judge(const JoinedUser& joined, EntryStep* step);

  // A namespace of process `pid` could not be looked at: says in the step which capability that
  // takes, as far as it is known. False where it is known not to be for want of one.
  bool BlameForLooking(int pid, EntryStep* step) const;

  // Whether `step`, judged before, can be part of one setns(2) on a pidfd.
  bool AllowsAtOnce(const JoinedUser& joined, const EntryStep& step) const;

 private:
  using Chain = std::vector<UserNamespaceLink>;

  EntryJudge(Standing own, base::NamespaceId pid_namespace, Chain own_chain)
      : own_(own), pid_namespace_(pid_namespace), own_chain_(std::move(own_chain)) {}

  // From the owner of the step's namespace upward; empty where the kernel does not tell.
  const Chain& OwnersOf(const EntryStep& step);
  void Blame(int capability, std::optional<uint32_t> user_namespace, EntryStep* step) const;
  void CheckIsBelowOwnPidNamespace(EntryStep* step) const;

  Standing own_;
  base::NamespaceId pid_namespace_;
  Chain own_chain_;
  // By namespace; filled as they are asked for.
  std::map<base::NamespaceId, Chain> owners_;
};

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTRY_JUDGE_H_
