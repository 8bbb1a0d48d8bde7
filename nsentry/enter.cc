#include "nsentry/enter.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/text.h"

namespace nsctl::nsentry {
namespace {

using Phase = EntryResult::Phase;

EntryResult Failure(Phase phase, size_t step, int error) {
  return {.phase = phase, .step = static_cast<int32_t>(step), .error = error};
}

// A pidfd is readable once its process has ended, reaped or not.
bool HasEnded(const base::OwnedFd& pidfd) {
  if (!pidfd.ok()) return false;
  struct pollfd waiting = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) > 0;
}

EntryResult JoinByType(const EntryPlan& plan) {
  for (size_t i = 0; i < plan.steps().size(); ++i) {
    const EntryStep& step = plan.steps()[i];
    int fd = step.fd.get();
    if (!step.late_path.empty()) {
      fd = open(step.late_path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (fd < 0) return Failure(Phase::kOpen, i, errno);
    }
    const int result = setns(fd, static_cast<int>(base::InfoOf(step.type).clone_flag));
    const int error = errno;
    if (!step.late_path.empty()) close(fd);
    if (result != 0) return Failure(Phase::kJoin, i, error);
  }
  return {};
}

EntryResult Join(const EntryPlan& plan, EntryMethod method) {
  if (method != EntryMethod::kByType && plan.at_once() != 0) {
    if (setns(plan.pidfd().get(), static_cast<int>(plan.at_once())) == 0) return {};
    // Nothing was entered. Before Linux 5.8 the pidfd is no namespace (EINVAL); whatever the reason
    // is, one type after the other tells which one it concerns.
    if (method == EntryMethod::kAtOnce) return Failure(Phase::kJoin, 0, errno);
  } else if (method == EntryMethod::kAtOnce && !plan.steps().empty()) {
    return Failure(Phase::kJoin, 0, EOPNOTSUPP);
  }
  return JoinByType(plan);
}

// The calling task's namespaces, by the link texts of the plan's procfs: below /proc there may by
// now be whatever the other side has put there.
EntryResult Verify(const EntryPlan& plan) {
  EntryResult result;
  if (plan.steps().empty()) return result;
  const int ns = openat(plan.procfs().get(), "thread-self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (ns < 0) return Failure(Phase::kVerify, 0, errno);
  for (size_t i = 0; i < plan.steps().size() && result.ok(); ++i) {
    const EntryStep& step = plan.steps()[i];
    const base::NamespaceTypeInfo& info = base::InfoOf(step.type);
    char text[64];
    const ssize_t length =
        readlinkat(ns, info.for_children_entry != nullptr ? info.for_children_entry : info.name,
                   text, sizeof(text));
    const int error = length < 0 ? errno : 0;
    std::optional<base::NamespaceLink> link;
    if (length > 0) {
      link = base::ParseNamespaceLinkText(absl::string_view(text, static_cast<size_t>(length)));
    }
    if (link.has_value()) result.now[static_cast<size_t>(step.type)] = link->inode;
    const bool is_there = link.has_value() && link->type == step.type &&
                          (!step.wanted.has_value() || step.wanted->inode == link->inode);
    if (is_there) continue;
    result.phase = Phase::kVerify;
    result.step = static_cast<int32_t>(i);
    result.error = error;
  }
  close(ns);
  return result;
}

absl::string_view Operation(Phase phase) {
  switch (phase) {
    case Phase::kOpen:
      return "open";
    case Phase::kJoin:
      return "setns";
    case Phase::kVerify:
      return "verify";
    case Phase::kFork:
      return "fork into";
    default:
      return "enter";
  }
}

}  // namespace

EntryResult Enter(const EntryPlan& plan, EntryMethod method) {
  if (HasEnded(plan.pidfd())) return Failure(Phase::kGone, 0, ESRCH);
  const EntryResult joined = Join(plan, method);
  return joined.ok() ? Verify(plan) : joined;
}

absl::Status EntryStatus(const EntryPlan& plan, const EntryResult& result) {
  if (result.ok()) return absl::OkStatus();
  if (result.phase == Phase::kGone) {
    return base::ErrnoStatus(result.error, "enter", plan.pidfd().path());
  }
  const size_t index = static_cast<size_t>(result.step);
  if (index >= plan.steps().size()) return base::ErrnoStatus(result.error, Operation(result.phase));
  const EntryStep& step = plan.steps()[index];
  const char* const type = base::InfoOf(step.type).name;
  if (result.phase == Phase::kFork) {
    // What fork(2) says of a PID namespace whose first process has ended.
    const absl::string_view reason = result.error == ENOMEM ? " whose process 1 has ended" : "";
    return base::ErrnoStatus(result.error, absl::StrCat("fork into the PID namespace", reason),
                             step.origin);
  }
  if (result.phase == Phase::kVerify && result.error == 0) {
    return absl::AbortedError(absl::StrCat(
        "entered another ", type, " namespace than that of ",
        base::TerminalText(base::EncodeText(step.origin)), ": ",
        base::NamespaceLinkText(step.type, result.now[static_cast<size_t>(step.type)]), ", not ",
        base::NamespaceLinkText(step.type, step.wanted.has_value() ? step.wanted->inode : 0)));
  }
  return base::ErrnoStatus(result.error, absl::StrCat(Operation(result.phase), " ", type, " of"),
                           step.origin);
}

}  // namespace nsctl::nsentry
