#include "nsentry/child_claims.h"

#include <signal.h>
#include <sys/wait.h>

#include <set>

#include "absl/synchronization/mutex.h"

namespace nsctl::nsentry {
namespace {

struct Claims {
  absl::Mutex mutex;
  std::set<pid_t> pids;
};

Claims& AllClaims() {
  static Claims* const claims = new Claims;
  return *claims;
}

}  // namespace

bool ClaimChild(pid_t pid) {
  siginfo_t info = {};
  constexpr int kOnlyLook = WEXITED | WNOHANG | WNOWAIT | __WALL;
  if (pid <= 0 || waitid(P_PID, static_cast<id_t>(pid), &info, kOnlyLook) != 0) return false;
  Claims& claims = AllClaims();
  const absl::MutexLock lock(&claims.mutex);
  return claims.pids.insert(pid).second;
}

void ReleaseChild(pid_t pid) {
  Claims& claims = AllClaims();
  const absl::MutexLock lock(&claims.mutex);
  claims.pids.erase(pid);
}

}  // namespace nsctl::nsentry
