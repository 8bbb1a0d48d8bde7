#include "engines/test_sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"

namespace nsctl::engines {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(20);
constexpr size_t kMaxOutput = 16 << 20;

// In the directory of the test's own; the paths of sockets below it must be short.
absl::StatusOr<std::string> MakeFolder() {
  std::string name = "/tmp/nsctl-engine-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    const int error = errno;
    return base::ErrnoStatus(error, "mkdtemp", name);
  }
  return name;
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& command, int out, int err) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // Engines read the environment for addresses of others.
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char locale[] = "LC_ALL=C.UTF-8";
  char* const environment[] = {path, locale, nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Without O_CLOEXEC, which would leave the program without descriptor 0: what it opens first
  // would be that, and nsenter 2.41 takes a pidfd of that number for none and enters nothing.
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = 0;
  // Returns its error.
  const int error =
      posix_spawnp(&pid, command[0].c_str(), &actions, nullptr, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::ErrnoStatus(error, "spawn", command[0]);
  return pid;
}

// -1 where it did not end in time.
int AwaitEnd(pid_t pid, absl::Time deadline) {
  while (true) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) return status;
    if (absl::Now() > deadline) return -1;
    absl::SleepFor(absl::Milliseconds(5));
  }
}

absl::StatusOr<pid_t> AwaitOnlyChild(pid_t parent) {
  const std::string path = absl::StrCat("/proc/", parent, "/task/", parent, "/children");
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (absl::Now() < deadline) {
    const auto text = base::ReadFileAt(base::FdRef(AT_FDCWD), path, 4096);
    pid_t child = 0;
    if (text.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &child)) return child;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return absl::DeadlineExceededError(absl::StrCat("process ", parent, " has no child"));
}

// Paths of the test's own cgroups, which some engines put theirs below; "" is the root.
std::set<std::string> CgroupParents() {
  std::set<std::string> parents = {""};
  const auto text = base::ReadFileAt(base::FdRef(AT_FDCWD), "/proc/self/cgroup", kMaxOutput);
  if (!text.ok()) return parents;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    // "4:memory:/path"
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() == 3) parents.emplace(fields[2]);
  }
  return parents;
}

// False where something is in use.
bool RemoveCgroup(const std::filesystem::path& top) {
  std::error_code ignored;
  if (!std::filesystem::exists(top, ignored)) return true;
  std::vector<std::string> folders = {top};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top, ignored)) {
    if (entry.is_directory(ignored)) folders.push_back(entry.path());
  }
  bool all = true;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (rmdir(folder->c_str()) != 0) all = false;
  }
  return all;
}

// In the cgroup hierarchies, v1 and v2.
bool RemoveCgroups(const std::string& name) {
  std::error_code ignored;
  std::vector<std::filesystem::path> roots = {"/sys/fs/cgroup"};
  for (const auto& entry : std::filesystem::directory_iterator("/sys/fs/cgroup", ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) roots.push_back(entry.path());
  }
  bool all = true;
  for (const auto& root : roots) {
    for (const std::string& parent : CgroupParents()) {
      all = RemoveCgroup(absl::StrCat(root.string(), parent, "/", name)) && all;
    }
  }
  return all;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TestSandbox>> TestSandbox::Make() {
  auto sandbox = absl::WrapUnique(new TestSandbox());
  NSCTL_ASSIGN_OR_RETURN(sandbox->folder_, MakeFolder());
  sandbox->cgroup_ = std::filesystem::path(sandbox->folder_).filename();
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd log,
                         base::OpenAt(base::FdRef(AT_FDCWD), sandbox->folder_ + "/sandbox.log",
                                      O_WRONLY | O_CREAT, 0600));
  // Ends with the test, however that ends. A shell waits for orphans, as process 1 has to. Ready
  // when its /run is its own.
  NSCTL_ASSIGN_OR_RETURN(
      sandbox->unshare_,
      Spawn(
          {"unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh",
           "-c",
           "mount -t tmpfs tmpfs /run && : >/run/ready && while :; do sleep 1000 & wait $!; done"},
          log.get(), log.get()));
  NSCTL_ASSIGN_OR_RETURN(sandbox->init_, AwaitOnlyChild(sandbox->unshare_));
  const std::string root = absl::StrCat("/proc/", sandbox->init_, "/root");
  const std::string ready = root + "/run/ready";
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (access(ready.c_str(), F_OK) != 0) {
    if (absl::Now() > deadline) return absl::DeadlineExceededError("the sandbox is not ready");
    absl::SleepFor(absl::Milliseconds(5));
  }
  return sandbox;
}

TestSandbox::~TestSandbox() {
  const absl::Time deadline = absl::Now() + kStartTimeout;
  // With process 1 of the namespace everything in it ends.
  if (init_ > 0) kill(init_, SIGKILL);
  if (unshare_ > 0) {
    kill(unshare_, SIGKILL);
    AwaitEnd(unshare_, deadline);
  }
  for (const Daemon& daemon : daemons_) AwaitEnd(daemon.nsenter, deadline);
  // What was killed leaves its cgroup when it is waited for.
  while (!RemoveCgroups(cgroup_) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> TestSandbox::Entered(const std::vector<std::string>& command) const {
  std::vector<std::string> words = {"nsenter",  "--mount",           "--net", "--pid",
                                    "--target", absl::StrCat(init_), "--"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

absl::StatusOr<std::string> TestSandbox::Run(const std::vector<std::string>& command,
                                             absl::Duration timeout) {
  const std::string out_path = folder_ + "/out";
  const std::string err_path = folder_ + "/err";
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd out, base::OpenAt(base::FdRef(AT_FDCWD), out_path,
                                                         O_WRONLY | O_CREAT | O_TRUNC, 0600));
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd err, base::OpenAt(base::FdRef(AT_FDCWD), err_path,
                                                         O_WRONLY | O_CREAT | O_TRUNC, 0600));
  NSCTL_ASSIGN_OR_RETURN(const pid_t pid, Spawn(Entered(command), out.get(), err.get()));
  const int status = AwaitEnd(pid, absl::Now() + timeout);
  const std::string line = absl::StrJoin(command, " ");
  if (status < 0) {
    kill(pid, SIGKILL);
    AwaitEnd(pid, absl::Now() + kStartTimeout);
    return absl::DeadlineExceededError(line);
  }
  NSCTL_ASSIGN_OR_RETURN(std::string text,
                         base::ReadFileAt(base::FdRef(AT_FDCWD), out_path, kMaxOutput));
  if (status == 0) return std::string(absl::StripTrailingAsciiWhitespace(text));
  NSCTL_ASSIGN_OR_RETURN(const std::string error,
                         base::ReadFileAt(base::FdRef(AT_FDCWD), err_path, kMaxOutput));
  return absl::UnknownError(absl::StrCat(line, ": status ", status, ": ", error));
}

absl::StatusOr<base::Pid> TestSandbox::Start(const std::vector<std::string>& command) {
  const std::string name = std::filesystem::path(command[0]).filename();
  NSCTL_ASSIGN_OR_RETURN(
      const base::OwnedFd log,
      base::OpenAt(base::FdRef(AT_FDCWD), absl::StrCat(folder_, "/", name, ".log"),
                   O_WRONLY | O_CREAT | O_APPEND, 0600));
  NSCTL_ASSIGN_OR_RETURN(const pid_t nsenter, Spawn(Entered(command), log.get(), log.get()));
  const absl::StatusOr<pid_t> child = AwaitOnlyChild(nsenter);
  daemons_.push_back({.pid = child.ok() ? *child : 0, .nsenter = nsenter});
  if (!child.ok()) return child.status();
  return base::Pid{*child};
}

absl::Status TestSandbox::Stop(base::Pid daemon) {
  const auto found = std::find_if(daemons_.begin(), daemons_.end(),
                                  [daemon](const Daemon& one) { return one.pid == daemon.value; });
  if (found == daemons_.end()) return absl::NotFoundError("no such daemon");
  kill(found->pid, SIGTERM);
  const int status = AwaitEnd(found->nsenter, absl::Now() + kStartTimeout);
  if (status < 0) return absl::DeadlineExceededError("the daemon does not end");
  daemons_.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<std::string> TestSandbox::MakeBusyboxTar() {
  const std::string root = folder_ + "/busybox";
  const std::string tar = root + ".tar";
  std::error_code failed;
  std::filesystem::create_directories(root + "/bin", failed);
  for (const char* directory : {"dev", "proc", "sys", "tmp", "etc", "run"}) {
    std::filesystem::create_directories(absl::StrCat(root, "/", directory), failed);
  }
  std::filesystem::copy_file("/bin/busybox", root + "/bin/busybox", failed);
  if (failed) return absl::UnknownError(absl::StrCat("busybox: ", failed.message()));
  for (const char* name : {"sh", "sleep", "cat", "true"}) {
    std::filesystem::create_symlink("busybox", absl::StrCat(root, "/bin/", name), failed);
  }
  NSCTL_RETURN_IF_ERROR(
      Run({"tar", "-C", root, "--owner=0", "--group=0", "-cf", tar, "."}).status());
  return tar;
}

}  // namespace nsctl::engines
