#include "cmd/exec_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/pipe.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/close_descriptors.h"
#include "cmd/exec_launcher.h"
#include "cmd/exec_program.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using Kind = ExecFailure::Kind;

constexpr char kShell[] = "/bin/sh";
constexpr int kFirstOwnDescriptor = 3;
constexpr char kStay[] =
    "nsctl: exec: the supplementary groups stay: the user namespace forbids setgroups\n";
// Steps that are told with what they are about.
constexpr char kStart[] = "start the command";
constexpr char kOpenDirectory[] = "open the working directory";
constexpr char kExecute[] = "execute";
// No error of the kernel is above (include/linux/err.h).
constexpr int kMaxErrno = 4095;
constexpr pid_t kFirstProcess = 1;

// All of this process's descriptors but the standard ones end with the next program. What the
// caller of nsctl left open is no business of the other side either.
void CloseAllOnExec() {
  constexpr unsigned int kCloseOnExec = 1U << 2;
  if (syscall(SYS_close_range, kFirstOwnDescriptor, ~0U, kCloseOnExec) == 0) return;
  // Before Linux 5.11.
  const long limit = sysconf(_SC_OPEN_MAX);
  for (int fd = kFirstOwnDescriptor; fd < limit; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<ExecChild> ExecChild::Prepare(ExecChildSpec spec, base::FdRef procfs) {
  ExecChild child;
  child.spec_ = std::move(spec);
  if (!child.spec_.direct) {
    NSCTL_ASSIGN_OR_RETURN(child.launcher_, MakeLauncher());
  }
  NSCTL_ASSIGN_OR_RETURN(child.procfs_, base::OpenAt(procfs, ".", O_PATH | O_DIRECTORY));
  NSCTL_ASSIGN_OR_RETURN(base::Pipe report, base::MakePipe());
  child.report_read_ = std::move(report.read_end);
  child.report_write_ = std::move(report.write_end);
  child.progress_ = SharedProgress::Make();
  return child;
}

int ExecChild::BeforeEntry() {
  for (const base::OwnedFd& cgroup : spec_.cgroups) {
    // 0 stands for the writer, in whatever PID namespace.
    if (write(cgroup.get(), "0", 1) != 1) return errno;
  }
  if (spec_.credentials.drop_groups_early) {
    groups_dropped_ = syscall(SYS_setgroups, 0, nullptr) == 0;
  }
  return 0;
}

int ExecChild::Run(int answer) {
  answer_ = answer;
  if (spec_.direct && getpid() == kFirstProcess) {
    // Somebody has to be the first process of a PID namespace that nsctl's next child is born in.
    absl::StatusOr<base::OwnedFd> launcher = MakeLauncher();
    if (!launcher.ok())
      return Fail(Kind::kOwn, "make a launcher", base::ErrnoOf(launcher.status()));
    launcher_ = *std::move(launcher);
    spec_.direct = false;
  }
  // Nobody waits for their end if this process cannot end, as the way to the command may have it
  // wait for a file system that never answers.
  std::vector<int> kept = {
      answer,           report_write_.get(),  launcher_.get(), procfs_.get(), spec_.terminal.get(),
      spec_.root.get(), spec_.directory.get()};
  kept.insert(kept.end(), std::begin(spec_.standard), std::end(spec_.standard));
  CloseAllBut(kFirstOwnDescriptor, std::move(kept));
  return BecomeCommand();
}

int ExecChild::Become() {
  in_place_ = true;
  return BecomeCommand();
}

int ExecChild::Fail(Kind kind, const char* step, int error) const {
  ExecFailure failure = {.kind = kind, .error = error};
  strncpy(failure.step, step == nullptr ? kStart : step, sizeof(failure.step) - 1);
  const ssize_t sent = write(report_write_.get(), &failure, sizeof(failure));
  return sent == sizeof(failure) ? 1 : 2;
}

bool ExecChild::TakeStandardDescriptors() const {
  progress_.SetStep("dup2");
  for (int fd = 0; fd < kFirstOwnDescriptor; ++fd) {
    const int source = spec_.terminal.ok() ? spec_.terminal.get() : spec_.standard[fd];
    if (source >= 0 && dup2(source, fd) < 0) return false;
  }
  return true;
}

bool ExecChild::MoveToRoot() const {
  int directory = spec_.directory.get();
  if (spec_.root.ok()) {
    progress_.SetStep("open the current directory");
    if (directory < 0) directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
    progress_.SetStep("change the root directory");
    // NSCTL_ALLOW(chdir): this process becomes the command.
    if (fchdir(spec_.root.get()) != 0 || chroot(".") != 0) return false;
  }
  if (!spec_.inner_directory.empty()) {
    progress_.SetStep(kOpenDirectory);
    directory = open(spec_.inner_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
  }
  progress_.SetStep("change the working directory");
  // NSCTL_ALLOW(chdir): as above.
  return directory < 0 || fchdir(directory) == 0;
}

bool ExecChild::SetSecurityContext() const {
  if (spec_.security_file.empty()) return true;
  progress_.SetStep("open the security context");
  const std::string name = absl::StrCat("thread-self/attr/", spec_.security_file);
  const int fd = openat(procfs_.get(), name.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  progress_.SetStep("set the security context");
  const std::string& context = spec_.security_context;
  return write(fd, context.data(), context.size()) == static_cast<ssize_t>(context.size());
}

int ExecChild::BecomeCommand() {
  if (!TakeStandardDescriptors() || !MoveToRoot() || !SetSecurityContext()) {
    return Fail(Kind::kOwn, progress_.step(), errno);
  }
  const CredentialFailure failure = ApplyCredentials(spec_.credentials, groups_dropped_);
  if (failure.step != nullptr) return Fail(Kind::kOwn, failure.step, failure.error);
  // Again, since what was entered and who this is now have taken it back.
  if (!in_place_) prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (failure.groups_stay) progress_.SetGroupsStay();
  // In place nobody else is left to say it.
  if (failure.groups_stay && in_place_) (void)!write(STDERR_FILENO, kStay, sizeof(kStay) - 1);
  sigprocmask(SIG_SETMASK, &spec_.signal_mask, nullptr);
  progress_.SetStep(kExecute);
  FoundProgram program = FindProgram(spec_.command.front(), spec_.environment);
  if (program.error != 0 && !spec_.fallback.empty()) {
    spec_.command.front() = spec_.fallback;
    program = FindProgram(spec_.fallback, spec_.environment);
  }
  if (program.error != 0) {
    return Fail(IsNotFound(program.error) ? Kind::kNotFound : Kind::kNotExecutable, kExecute,
                program.error);
  }
  return Execute(program.path);
}

int ExecChild::Execute(const std::string& path) {
  std::vector<std::string> command = spec_.command;
  if (spec_.login_shell) {
    // The name of what is executed: a program that is many goes by it.
    command.front() = absl::StrCat("-", path.substr(path.rfind('/') + 1));
  }
  if (spec_.direct) return ExecuteDirectly(std::move(command), path);
  // In place nobody is left to read what the launcher reports.
  const std::string mode =
      absl::StrCat(in_place_ ? "-" : "f", answer_ >= 0 ? "s" : "", spec_.terminal.ok() ? "t" : "");
  std::vector<std::string> arguments = {"nsctl-launcher",
                                        in_place_ ? "-" : absl::StrCat(report_write_.get()),
                                        absl::StrCat(answer_),
                                        mode,
                                        path,
                                        kShell};
  arguments.insert(arguments.end(), command.begin(), command.end());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(spec_.environment);
  CloseAllOnExec();
  // The launcher needs it, and closes it by executing the command.
  if (!in_place_) fcntl(report_write_.get(), F_SETFD, 0);
  if (answer_ >= 0) fcntl(answer_, F_SETFD, 0);
  syscall(SYS_execveat, launcher_.get(), "", argv.data(), envp.data(), AT_EMPTY_PATH);
  return Fail(Kind::kOwn, "execute the launcher", errno);
}

int ExecChild::ExecuteDirectly(std::vector<std::string> arguments, const std::string& path) {
  // What has no interpreter is given to a shell, as execvp(3) does.
  arguments.insert(arguments.begin(), kShell);
  std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(spec_.environment);
  CloseAllOnExec();
  const int begin = 0;
  (void)!write(report_write_.get(), &begin, sizeof(begin));
  execve(path.c_str(), argv.data() + 1, envp.data());
  int error = errno;
  if (error == ENOEXEC) {
    argv[1] = const_cast<char*>(path.c_str());
    execve(kShell, argv.data(), envp.data());
    error = errno;
  }
  (void)!write(report_write_.get(), &error, sizeof(error));
  return 1;
}

void ExecChild::ReleaseInParent() {
  (void)report_write_.Close();
  (void)spec_.terminal.Close();
  spec_.cgroups.clear();
}

void ExecChild::TakeNews() {
  struct pollfd waiting = {.fd = report_read_.get(), .events = POLLIN, .revents = 0};
  while (report_read_.ok() && poll(&waiting, 1, 0) > 0) {
    char bytes[2 * sizeof(ExecFailure)];
    const ssize_t size = read(report_read_.get(), bytes, sizeof(bytes));
    if (size < 0 && errno == EINTR) continue;
    // Nobody honest writes so much.
    if (size <= 0 || news_.size() > sizeof(bytes)) {
      (void)report_read_.Close();
      return;
    }
    news_.append(bytes, static_cast<size_t>(size));
  }
}

std::string ExecChild::Step() const {
  const char* const step = progress_.step();
  if (step == nullptr) return kStart;
  if (step == kExecute) return absl::StrCat(kExecute, " ", QuotedArgument(spec_.command.front()));
  if (step != kOpenDirectory) return step;
  return absl::StrCat(kOpenDirectory, " ", QuotedArgument(spec_.inner_directory));
}

ExecChild::Outcome ExecChild::GetOutcome() const {
  ExecFailure failure;
  int words[2] = {};
  if (news_.empty()) {
    return {absl::AbortedError("the process that was to start the command was killed")};
  }
  if (news_.size() == sizeof(failure)) {
    memcpy(&failure, news_.data(), sizeof(failure));
  } else if (news_.size() <= sizeof(words)) {
    memcpy(words, news_.data(), news_.size());
    if (news_.size() == sizeof(words[0]) && words[0] == 0) return {};
    failure.error = words[1];
    failure.kind = IsNotFound(failure.error) ? Kind::kNotFound : Kind::kNotExecutable;
    strncpy(failure.step, kExecute, sizeof(failure.step) - 1);
  }
  // Whoever said it was in the namespaces.
  if (words[0] != 0 || failure.error <= 0 || failure.error > kMaxErrno) {
    return {absl::AbortedError("start the command: the launcher's answer makes no sense")};
  }
  const absl::string_view step(failure.step, strnlen(failure.step, sizeof(failure.step)));
  const bool has_object = step == kExecute || step == kOpenDirectory;
  return {base::ErrnoStatus(failure.error,
                            has_object ? Step() : base::TerminalText(base::EncodeText(step))),
          failure.kind, std::string(step)};
}

}  // namespace nsctl::cmd
