#include "nsentry/test_scene.h"

#include <grp.h>
#include <limits.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace nsctl::nsentry {

using procfsroot::GuardedProcess;
using procfsroot::Procfs;

namespace {

std::string ReadLink(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), text, sizeof(text));
  return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
}

}  // namespace

absl::StatusOr<Target> Target::Open(base::Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(
      GuardedProcess process,
      GuardedProcess::Open(procfs, pid, std::nullopt, GuardedProcess::Hold::kPidfd));
  return Target{std::move(procfs), std::move(process)};
}

absl::StatusOr<EntryPlan> Target::Plan(uint32_t types) const {
  EntryRequest request;
  request.process = &process;
  request.types = types;
  request.all_types = types == 0;
  return EntryPlan::Make(procfs, std::move(request));
}

std::string OwnLink(base::NamespaceType type) {
  return ReadLink(absl::StrCat("/proc/thread-self/ns/", base::InfoOf(type).name));
}

std::string LinkOf(base::Pid pid, base::NamespaceType type) {
  return ReadLink(absl::StrCat("/proc/", pid.value, "/ns/", base::InfoOf(type).name));
}

bool BecomeNobody() {
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return false;
  }
  // Its /proc/self would be root's otherwise.
  return prctl(PR_SET_DUMPABLE, 1) == 0;
}

}  // namespace nsctl::nsentry
