#include "cmd/run_apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/fd.h"
#include "cmd/held_processes.h"

namespace nsctl::cmd {
namespace {

using base::OwnedFd;
using Body = absl::FunctionRef<int(const ApartRun&)>;

[[noreturn]] void RunInChild(Body body, const ApartRun& run, pid_t parent, OwnedFd answer) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have ended before it was asked for.
  if (getppid() != parent) _exit(1);
  const auto result = static_cast<uint8_t>(body(run));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(fd);
  // Where nobody reads it, there is nobody to tell.
  const ssize_t written = write(answer.get(), &result, 1);
  // What the caller's shell handed on, a lock perhaps, is not kept by what stays behind. Those that
  // were opened here come last, as closing one may block. The answer's end tells of this one's.
  const auto end = static_cast<unsigned int>(answer.get());
  if (end > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, end - 1, 0);
  close_range(end + 1, ~0U, 0);
  _exit(written == 1 ? 0 : result);
}

// Ends this process by the signal `number`.
int EndBy(int number) {
  // The child's core is the one to look at.
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(number, SIG_DFL);
  raise(number);
  return 128 + number;
}

// What the child gets as well, and may need a moment to obey.
constexpr int kForwarded[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
constexpr int kPatienceMilliseconds = 2000;
// How often it is looked what a child waits for, and for how many looks it has to wait until it is
// told apart from one that is slow: to be run again, or to be given up.
constexpr int kLookMilliseconds = 250;
// A child that runs for long is looked at less often, after so many looks.
constexpr int kFrequentLooks = 40;
constexpr int kLooksUntilAgain = 4;
constexpr int kLooksUntilGivenUp = 20;
// How often `body` may be run; each time there may be other processes that are held.
constexpr int kMaxRuns = 6;
// How long a child that has answered is waited for.
constexpr int kEndMilliseconds = 100;

// 0: there is no child at the time.
volatile sig_atomic_t forward_to = 0;
volatile sig_atomic_t received = 0;

void Forward(int number) {
  received = number;
  if (forward_to != 0) {
    kill(static_cast<pid_t>(forward_to), number);
    return;
  }
  signal(number, SIG_DFL);
  raise(number);
}

void ForwardSignals(pid_t child) {
  forward_to = child;
  struct sigaction action = {};
  action.sa_handler = Forward;
  sigemptyset(&action.sa_mask);
  for (const int number : kForwarded) {
    struct sigaction before;
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
}

// What the handlers of this process are not for.
void ForwardNoSignals() {
  for (const int number : kForwarded) {
    struct sigaction before;
    sigaction(number, nullptr, &before);
    if (before.sa_handler == Forward) signal(number, SIG_DFL);
  }
}

void Complain(const std::set<HeldProcess>& held) {
  const auto name = [](std::string* out, const HeldProcess& process) {
    absl::StrAppend(out, process.pid);
  };
  const std::string text = absl::StrCat(
      "nsctl: process ", absl::StrJoin(held, ", ", name),
      " cannot be read: it waits for a file server while it holds a lock that reading needs\n");
  (void)base::WriteAll(base::FdRef(STDERR_FILENO), text);
}

// One child, as the parent sees it.
class Child {
 public:
  Child(pid_t pid, const OwnedFd& answer, const std::atomic<bool>& is_final)
      : pid_(pid), answer_(answer), is_final_(is_final), watch_(pid) {}

  // The result of RunApart; nullopt where `body` is to be run again without `held`.
  std::optional<int> Await(bool may_repeat, std::set<HeldProcess>* held);

 private:
  std::optional<int> End() const;
  // Whether the child is to be killed because of `held`.
  bool IsToEnd(bool repeat, std::set<HeldProcess>* held);

  const pid_t pid_;
  const OwnedFd& answer_;
  const std::atomic<bool>& is_final_;
  ReaderWatch watch_;
  bool has_complained_ = false;
};

bool Child::IsToEnd(bool repeat, std::set<HeldProcess>* held) {
  std::set<HeldProcess> awaited;
  for (const ReaderWatch::Wait& wait : watch_.Look()) {
    if (wait.looks < (repeat ? kLooksUntilAgain : kLooksUntilGivenUp)) continue;
    awaited.insert(wait.process);
    // Once it answers, a thread may have been left behind.
    if (!is_final_ || wait.is_first_thread) held->insert(wait.process);
  }
  if (!repeat && !awaited.empty() && !std::exchange(has_complained_, true)) Complain(awaited);
  return !held->empty();
}

std::optional<int> Child::Await(bool may_repeat, std::set<HeldProcess>* held) {
  struct pollfd event = {.fd = answer_.get(), .events = POLLIN, .revents = 0};
  int signalled = 0;
  for (int looks = 0;; ++looks) {
    // A signal between these two is seen a moment later.
    const int interval = looks < kFrequentLooks ? kLookMilliseconds : kPatienceMilliseconds;
    const int count = poll(&event, 1, interval);
    if (count > 0) return End();
    if (count < 0) continue;
    if (received != 0) {
      // It cannot end: left behind.
      signalled += interval;
      if (signalled >= kPatienceMilliseconds) return EndBy(received);
      continue;
    }
    const bool repeat = may_repeat && !is_final_;
    if (!IsToEnd(repeat, held)) continue;
    forward_to = 0;
    EndChild(pid_);
    if (repeat) return std::nullopt;
    return 1;
  }
}

std::optional<int> Child::End() const {
  struct pollfd event = {.fd = answer_.get(), .events = POLLIN, .revents = 0};
  uint8_t result = 0;
  int wait_status = 0;
  if (read(answer_.get(), &result, 1) == 1) {
    // Its time is then counted as this process's. The pipe is closed once all threads have ended.
    if (poll(&event, 1, kEndMilliseconds) > 0) waitpid(pid_, &wait_status, 0);
    return result;
  }
  while (waitpid(pid_, &wait_status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  return WIFSIGNALED(wait_status) ? EndBy(WTERMSIG(wait_status)) : WEXITSTATUS(wait_status);
}

// What parent and child share; nullptr where there is no memory for it.
std::atomic<bool>* MakeShared() {
  void* const page = mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : new (page) std::atomic<bool>(false);
}

// nullopt where `body` is to be run again without `held`.
std::optional<int> RunOnce(Body body, bool may_repeat, const ApartRun& run,
                           std::set<HeldProcess>* held) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return body(run);
  const OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  const pid_t parent = getpid();
  // None must come between the child's beginning and the handlers that hand it on.
  sigset_t forwarded, before;
  sigemptyset(&forwarded);
  for (const int number : kForwarded) sigaddset(&forwarded, number);
  sigprocmask(SIG_BLOCK, &forwarded, &before);
  const pid_t child = fork();
  if (child > 0) ForwardSignals(child);
  if (child == 0) ForwardNoSignals();
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return body(run);
  if (child == 0) RunInChild(body, run, parent, std::move(write_end));
  (void)write_end.Close();
  return Child(child, read_end, *run.is_final).Await(may_repeat, held);
}

}  // namespace

int RunApart(Body body) {
  std::atomic<bool>* const shared = MakeShared();
  std::atomic<bool> own(false);
  received = 0;
  std::set<HeldProcess> held;
  for (int runs = 1;; ++runs) {
    const ApartRun run{.held = held, .is_final = shared == nullptr ? &own : shared};
    std::set<HeldProcess> found;
    const std::optional<int> result =
        RunOnce(body, shared != nullptr && runs < kMaxRuns, run, &found);
    if (result.has_value()) return *result;
    std::set<std::string> places;
    for (const HeldProcess& process : found) places.insert(process.procfs);
    for (const std::string& place : places) found.merge(FindHeldProcesses(place));
    held.merge(found);
  }
}

}  // namespace nsctl::cmd
