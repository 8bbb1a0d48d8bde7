#include "nsentry/entry_plan.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "nsentry/entry_judge.h"

namespace nsctl::nsentry {

using base::NamespaceType;
using procfsroot::NamespaceLinks;

namespace {

// nsenter's, so that whoever knows it is not surprised.
constexpr NamespaceType kOrder[] = {
    NamespaceType::kUser, NamespaceType::kCgroup, NamespaceType::kIpc, NamespaceType::kUts,
    NamespaceType::kNet,  NamespaceType::kPid,    NamespaceType::kMnt, NamespaceType::kTime};

uint32_t FlagOf(NamespaceType type) { return base::InfoOf(type).clone_flag; }

uint32_t TypesOf(const std::vector<NamespaceReference>& references) {
  uint32_t flags = 0;
  for (const NamespaceReference& reference : references) flags |= FlagOf(reference.type);
  return flags;
}

}  // namespace

// One call of EntryPlan::Make.
class EntryPlanner {
 public:
  EntryPlanner(const NamespaceLinks& own, EntryJudge judge, EntryRequest request)
      : own_(own), judge_(std::move(judge)), request_(std::move(request)) {}

  absl::StatusOr<EntryPlan> Plan(base::OwnedFd procfs);

 private:
  uint32_t OwnInode(NamespaceType type) const { return own_.in[static_cast<size_t>(type)].inode; }

  // Gives the step a fate: entered or left out.
  void Add(EntryStep step, bool may_skip);
  void AddReference(NamespaceReference reference, bool of_process, bool may_skip);
  void AddFromProcess(const NamespaceLinks& links, NamespaceType type);
  void AddFailure(NamespaceType type, absl::Status status);
  void AddAsGiven();
  absl::Status AddProcess();
  void JudgeAndOrder();
  void ChooseAtOnce(const JoinedUser& joined);

  NamespaceLinks own_;
  EntryJudge judge_;
  EntryRequest request_;
  EntryPlan plan_;
};

void EntryPlanner::Add(EntryStep step, bool may_skip) {
  step.current = OwnInode(step.type);
  const bool is_own = step.wanted.has_value() && step.wanted->inode == step.current;
  (may_skip && is_own ? plan_.skipped_ : plan_.steps_).push_back(std::move(step));
}

void EntryPlanner::AddReference(NamespaceReference reference, bool of_process, bool may_skip) {
  Add(EntryStep{.type = reference.type,
                .origin = std::move(reference.origin),
                .wanted = reference.id,
                .of_process = of_process,
                .fd = std::move(reference.fd)},
      may_skip);
}

void EntryPlanner::AddFailure(NamespaceType type, absl::Status status) {
  const int pid = request_.process->pid().value;
  const std::string process = absl::StrCat("process ", pid);
  EntryStep step{.type = type, .origin = process};
  if (base::IsDenied(status) && judge_.BlameForLooking(pid, &step)) {
    status = base::Annotate(status, absl::StrCat("not allowed to look at ", process, ": ",
                                                 step.obstacles.front().text));
  } else if (base::IsDenied(status)) {
    step.obstacles.push_back({.text = std::string(status.message())});
    status = base::Annotate(status, absl::StrCat("not allowed to look at ", process));
  } else if (base::IsGone(status)) {
    step.obstacles.push_back({.text = "it has ended and left its namespaces"});
    status = base::Annotate(status, absl::StrCat(process, " has ended and left its namespaces"));
  } else {
    step.obstacles.push_back({.text = std::string(status.message())});
  }
  if (plan_.first_failure_.ok()) plan_.first_failure_ = status;
  Add(std::move(step), false);
}

void EntryPlanner::AddFromProcess(const NamespaceLinks& links, NamespaceType type) {
  const NamespaceLinks::Entry& theirs = links.in[static_cast<size_t>(type)];
  const bool wanted = (request_.types & FlagOf(type)) != 0;
  const bool kernel_lacks_it = theirs.error == ENOENT && OwnInode(type) == 0;
  if (!wanted && (!request_.all_types || kernel_lacks_it)) return;
  // Opened even where it is left out: the plan tells of its owner.
  absl::StatusOr<NamespaceReference> reference = OpenNamespaceOf(*request_.process, type);
  if (!reference.ok()) return AddFailure(type, reference.status());
  AddReference(*std::move(reference), true, type != NamespaceType::kUser || !wanted);
}

void EntryPlanner::AddAsGiven() {
  size_t late = 0;
  for (size_t i = 0; i <= request_.references.size(); ++i) {
    for (; late < request_.late.size() && request_.late[late].before <= i; ++late) {
      EntryRequest::LatePath& path = request_.late[late];
      Add(EntryStep{.type = path.type, .origin = path.path, .late_path = path.path}, false);
    }
    if (i < request_.references.size()) {
      AddReference(std::move(request_.references[i]), false, false);
    }
  }
}

void EntryPlanner::JudgeAndOrder() {
  std::vector<EntryStep> before;
  std::vector<EntryStep> after;
  std::optional<EntryStep> user;
  std::vector<EntryStep> steps = std::move(plan_.steps_);
  plan_.steps_.clear();
  std::stable_sort(steps.begin(), steps.end(), [](const EntryStep& a, const EntryStep& b) {
    return std::find(std::begin(kOrder), std::end(kOrder), a.type) <
           std::find(std::begin(kOrder), std::end(kOrder), b.type);
  });
  JoinedUser joined;
  if (!steps.empty() && steps.front().type == NamespaceType::kUser) {
    joined = judge_.JudgeUser(&steps.front());
    user = std::move(steps.front());
    steps.erase(steps.begin());
  }
  for (EntryStep& step : steps) {
    const EntryJudge::When when = judge_.Judge(joined, &step);
    (when == EntryJudge::When::kBeforeUser ? before : after).push_back(std::move(step));
  }
  plan_.steps_ = std::move(before);
  if (user.has_value()) plan_.steps_.push_back(*std::move(user));
  std::move(after.begin(), after.end(), std::back_inserter(plan_.steps_));
  ChooseAtOnce(joined);
}

void EntryPlanner::ChooseAtOnce(const JoinedUser& joined) {
  uint32_t flags = 0;
  for (const EntryStep& step : plan_.steps_) {
    if (!step.of_process || !step.obstacles.empty()) return;
    if (!judge_.AllowsAtOnce(joined, step)) return;
    flags |= FlagOf(step.type);
  }
  if (plan_.pidfd_.ok()) plan_.at_once_ = flags;
}

absl::Status EntryPlanner::AddProcess() {
  const procfsroot::GuardedProcess& process = *request_.process;
  if (process.pidfd().ok()) {
    const int copy = fcntl(process.pidfd().get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "dup", process.pidfd().path());
    }
    plan_.pidfd_ = base::OwnedFd(copy, process.pidfd().path());
  }
  const uint32_t given = TypesOf(request_.references);
  // Only all types need them.
  const NamespaceLinks links =
      request_.all_types ? process.directory().ReadNamespaceLinks() : NamespaceLinks();
  for (const NamespaceType type : kOrder) {
    if ((given & FlagOf(type)) == 0) AddFromProcess(links, type);
  }
  // A process that ended would look like one that has left its namespaces.
  return process.CheckAlive();
}

absl::StatusOr<EntryPlan> EntryPlanner::Plan(base::OwnedFd procfs) {
  plan_.procfs_ = std::move(procfs);
  if (request_.as_given) {
    AddAsGiven();
    return std::move(plan_);
  }
  if (request_.process != nullptr) NSCTL_RETURN_IF_ERROR(AddProcess());
  for (NamespaceReference& reference : request_.references) {
    // Whoever names a user namespace wants to be told that it is his own.
    const bool may_skip = reference.type != NamespaceType::kUser;
    AddReference(std::move(reference), false, may_skip);
  }
  JudgeAndOrder();
  return std::move(plan_);
}

absl::StatusOr<EntryPlan> EntryPlan::Make(const procfsroot::Procfs& procfs, EntryRequest request) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(EntryJudge judge, EntryJudge::ForCaller(self));
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd copy, base::OpenAt(procfs.fd(), ".", O_PATH | O_DIRECTORY));
  EntryPlanner planner(self.ReadNamespaceLinks(), std::move(judge), std::move(request));
  return planner.Plan(std::move(copy));
}

absl::Status EntryPlan::Check() const {
  if (!first_failure_.ok()) return first_failure_;
  for (const EntryStep& step : steps_) {
    if (step.obstacles.empty()) continue;
    const Obstacle& obstacle = step.obstacles.front();
    const std::string message = absl::StrCat(
        "cannot enter ", base::NamespaceLinkText(step.type, step.wanted ? step.wanted->inode : 0),
        " of ", base::TerminalText(base::EncodeText(step.origin)), ": ", obstacle.text);
    if (obstacle.capability == 0) return absl::FailedPreconditionError(message);
    return absl::PermissionDeniedError(message);
  }
  return absl::OkStatus();
}

uint32_t EntryPlan::types() const {
  uint32_t flags = 0;
  for (const EntryStep& step : steps_) flags |= FlagOf(step.type);
  return flags;
}

bool EntryPlan::Enters(NamespaceType type) const { return (types() & FlagOf(type)) != 0; }

}  // namespace nsctl::nsentry
