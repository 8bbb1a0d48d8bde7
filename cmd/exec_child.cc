#include "cmd/exec_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/pipe.h"
#include "base/status_macros.h"
#include "cmd/close_descriptors.h"
#include "cmd/exec_launcher.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using Kind = ExecFailure::Kind;

constexpr char kShell[] = "/bin/sh";
// As execvp(3) has it.
constexpr char kDefaultPath[] = "/bin:/usr/bin";
constexpr int kFirstOwnDescriptor = 3;

std::string PathVariable(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    if (absl::StartsWith(variable, "PATH=")) return variable.substr(strlen("PATH="));
  }
  return kDefaultPath;
}

// 0 where `path` is a file that may be executed, else an errno.
int CheckExecutable(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

bool IsNotFound(int error) { return error == ENOENT || error == ENOTDIR; }

struct Found {
  std::string path;
  int error = 0;
};

// As a shell: the first in PATH that can be executed; else the reason of one that is there.
Found FindProgram(const std::string& program, const std::vector<std::string>& environment) {
  if (absl::StrContains(program, '/')) return {program, CheckExecutable(program)};
  Found found = {program, ENOENT};
  if (program.empty()) return found;
  for (const absl::string_view directory : absl::StrSplit(PathVariable(environment), ':')) {
    const std::string path =
        absl::StrCat(directory.empty() ? absl::string_view(".") : directory, "/", program);
    const int error = CheckExecutable(path);
    if (error == 0) return {path, 0};
    if (!IsNotFound(error)) found.error = error;
  }
  return found;
}

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
  NSCTL_ASSIGN_OR_RETURN(child.launcher_, MakeLauncher());
  NSCTL_ASSIGN_OR_RETURN(child.procfs_, base::OpenAt(procfs, ".", O_PATH | O_DIRECTORY));
  NSCTL_ASSIGN_OR_RETURN(base::Pipe report, base::MakePipe());
  child.report_read_ = std::move(report.read_end);
  child.report_write_ = std::move(report.write_end);
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

int ExecChild::Run(int answer, bool sibling) {
  answer_ = answer;
  // Nobody waits for their end if this process cannot end, as the way to the command may have it
  // wait for a file system that never answers.
  std::vector<int> kept = {
      answer,           report_write_.get(),  launcher_.get(), procfs_.get(), spec_.terminal.get(),
      spec_.root.get(), spec_.directory.get()};
  kept.insert(kept.end(), std::begin(spec_.standard), std::end(spec_.standard));
  CloseAllBut(kFirstOwnDescriptor, std::move(kept));
  return BecomeCommand(absl::StrCat(answer),
                       absl::StrCat("f", sibling ? "s" : "", spec_.terminal.ok() ? "t" : ""));
}

int ExecChild::Become() { return BecomeCommand("-", "-"); }

int ExecChild::Fail(Kind kind, const char* step, int error) const {
  ExecFailure failure = {.kind = kind, .error = error};
  strncpy(failure.step, step, sizeof(failure.step) - 1);
  const ssize_t sent = write(report_write_.get(), &failure, sizeof(failure));
  return sent == sizeof(failure) ? 1 : 2;
}

const char* ExecChild::TakeStandardDescriptors() const {
  for (int fd = 0; fd < kFirstOwnDescriptor; ++fd) {
    const int source = spec_.terminal.ok() ? spec_.terminal.get() : spec_.standard[fd];
    if (source >= 0 && dup2(source, fd) < 0) return "dup2";
  }
  return nullptr;
}

const char* ExecChild::MoveToRoot() const {
  int directory = spec_.directory.get();
  if (spec_.root.ok()) {
    if (directory < 0) directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return "open the current directory";
    // NSCTL_ALLOW(chdir): this process becomes the command.
    if (fchdir(spec_.root.get()) != 0 || chroot(".") != 0) return "change the root directory";
  }
  if (!spec_.inner_directory.empty()) {
    directory = open(spec_.inner_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return "open the working directory";
  }
  // NSCTL_ALLOW(chdir): as above.
  if (directory >= 0 && fchdir(directory) != 0) return "change the working directory";
  return nullptr;
}

const char* ExecChild::SetSecurityContext() const {
  if (spec_.security_file.empty()) return nullptr;
  const std::string name = absl::StrCat("thread-self/attr/", spec_.security_file);
  const int fd = openat(procfs_.get(), name.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return "open the security context";
  const std::string& context = spec_.security_context;
  const bool written =
      write(fd, context.data(), context.size()) == static_cast<ssize_t>(context.size());
  return written ? nullptr : "set the security context";
}

int ExecChild::BecomeCommand(const std::string& answer, const std::string& mode) {
  const char* step = TakeStandardDescriptors();
  if (step == nullptr) step = MoveToRoot();
  if (step == nullptr) step = SetSecurityContext();
  if (step != nullptr) return Fail(Kind::kOwn, step, errno);
  const CredentialFailure failure = ApplyCredentials(spec_.credentials, groups_dropped_);
  if (failure.step != nullptr) return Fail(Kind::kOwn, failure.step, failure.error);
  sigprocmask(SIG_SETMASK, &spec_.signal_mask, nullptr);
  Found program = FindProgram(spec_.command.front(), spec_.environment);
  if (program.error != 0 && !spec_.fallback.empty()) {
    program = FindProgram(spec_.fallback, spec_.environment);
  }
  if (program.error != 0) {
    return Fail(IsNotFound(program.error) ? Kind::kNotFound : Kind::kNotExecutable, "",
                program.error);
  }
  return Execute(program.path, answer, mode);
}

int ExecChild::Execute(const std::string& path, const std::string& answer,
                       const std::string& mode) {
  std::vector<std::string> arguments = {
      "nsctl-launcher", absl::StrCat(report_write_.get()), answer, mode, path, kShell};
  const size_t name = arguments.size();
  arguments.insert(arguments.end(), spec_.command.begin(), spec_.command.end());
  if (!spec_.name.empty()) arguments[name] = spec_.name;
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(spec_.environment);
  CloseAllOnExec();
  // The launcher needs it, and closes it by executing the command.
  fcntl(report_write_.get(), F_SETFD, 0);
  if (answer_ >= 0) fcntl(answer_, F_SETFD, 0);
  syscall(SYS_execveat, launcher_.get(), "", argv.data(), envp.data(), AT_EMPTY_PATH);
  return Fail(Kind::kOwn, "execute the launcher", errno);
}

void ExecChild::ReleaseInParent() {
  (void)report_write_.Close();
  (void)spec_.terminal.Close();
  spec_.cgroups.clear();
}

ExecChild::Outcome ExecChild::TakeOutcome() {
  struct pollfd waiting = {.fd = report_read_.get(), .events = POLLIN, .revents = 0};
  ExecFailure failure;
  const ssize_t size = poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN) != 0
                           ? read(report_read_.get(), &failure, sizeof(failure))
                           : 0;
  if (size <= 0) return {};
  if (size == sizeof(int)) {
    // From the launcher.
    int error;
    memcpy(&error, &failure, sizeof(error));
    failure = {.kind = IsNotFound(error) ? Kind::kNotFound : Kind::kNotExecutable, .error = error};
  }
  const absl::string_view step(failure.step, strnlen(failure.step, sizeof(failure.step)));
  const std::string program = QuotedArgument(spec_.command.front());
  const std::string what = step.empty() ? absl::StrCat("execute ", program) : std::string(step);
  return {base::ErrnoStatus(failure.error, what), failure.kind};
}

}  // namespace nsctl::cmd
