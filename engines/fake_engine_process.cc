#include "engines/fake_engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"

namespace nsctl::engines {
namespace {

constexpr int kTimeoutMilliseconds = 30'000;

absl::StatusOr<std::string> LinkTo(const std::string& folder, const FakeEngineSpec& spec) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::canonical(spec.executable, error);
  if (error) return absl::NotFoundError(absl::StrCat(spec.executable, " is no data of the test"));
  std::string link = absl::StrCat(folder, "/", spec.program);
  std::filesystem::create_symlink(program, link, error);
  if (error && error != std::errc::file_exists) return absl::UnknownError(error.message());
  return link;
}

absl::Status PipeError() {
  const int error = errno;
  return base::ErrnoStatus(error, "pipe2");
}

absl::Status AwaitFile(const std::string& path) {
  const absl::Time deadline = absl::Now() + absl::Milliseconds(kTimeoutMilliseconds);
  while (access(path.c_str(), F_OK) != 0) {
    if (absl::Now() > deadline) return absl::UnavailableError(absl::StrCat("no ", path));
    absl::SleepFor(absl::Milliseconds(5));
  }
  return absl::OkStatus();
}

std::vector<std::string> CommandOf(const std::string& program, const FakeEngineSpec& spec) {
  std::vector<std::string> command = {program, spec.mode, spec.socket};
  if (spec.activated) {
    command = {"systemd-socket-activate", "-l", spec.socket, program, spec.mode, "inherited"};
  }
  command.insert(command.end(), spec.containers.begin(), spec.containers.end());
  if (!spec.contained) return command;
  const std::string name = spec.title.empty() ? "" : absl::StrCat("-a '", spec.title, "' ");
  return {"unshare",
          "--pid",
          "--mount",
          "--net",
          "--fork",
          "--kill-child",
          "bash",
          "-c",
          absl::StrCat("mount -t tmpfs tmpfs /run && exec ", name, absl::StrJoin(command, " "))};
}

}  // namespace

absl::StatusOr<std::unique_ptr<FakeEngineProcess>> FakeEngineProcess::Start(
    const std::string& folder, const FakeEngineSpec& spec) {
  NSCTL_ASSIGN_OR_RETURN(const std::string program, LinkTo(folder, spec));
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return PipeError();
  auto process = absl::WrapUnique(new FakeEngineProcess());
  process->to_ = base::OwnedFd(in[1], "stdin of the fake engine");
  const base::OwnedFd its_in(in[0]);
  if (pipe2(out, O_CLOEXEC) != 0) return PipeError();
  process->from_ = base::OwnedFd(out[0], "stdout of the fake engine");
  const base::OwnedFd its_out(out[1]);

  std::vector<std::string> command = CommandOf(program, spec);
  const std::string file = command[0];
  if (!spec.contained && !spec.title.empty()) command[0] = spec.title;
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, its_in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, its_out.get(), STDOUT_FILENO);
  const int error =
      posix_spawnp(&process->pid_, file.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process->pid_ = 0;
    return base::ErrnoStatus(error, "posix_spawn", file);
  }
  if (spec.activated) {
    NSCTL_RETURN_IF_ERROR(AwaitFile(spec.socket));
  } else {
    NSCTL_RETURN_IF_ERROR(process->AwaitOk());
  }
  return process;
}

FakeEngineProcess::~FakeEngineProcess() {
  if (pid_ == 0) return;
  // unshare(1) passes nothing on, and takes its child with it.
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  // All that had it as stdout is gone.
  char bytes[256];
  while (read(from_.get(), bytes, sizeof(bytes)) > 0) {
  }
}

absl::Status FakeEngineProcess::AwaitOk() {
  std::string line;
  while (!absl::EndsWith(line, "\n")) {
    struct pollfd fd = {.fd = from_.get(), .events = POLLIN, .revents = 0};
    char byte = 0;
    if (poll(&fd, 1, kTimeoutMilliseconds) <= 0 || read(from_.get(), &byte, 1) <= 0) {
      return absl::UnavailableError(absl::StrCat("the fake engine ended, or hangs: ", line));
    }
    line += byte;
  }
  return line == "ok\n" ? absl::OkStatus() : absl::InternalError(line);
}

absl::Status FakeEngineProcess::Say(const std::string& command) {
  return base::WriteAll(to_, absl::StrCat(command, "\n"));
}

absl::Status FakeEngineProcess::Do(const std::string& command) {
  NSCTL_RETURN_IF_ERROR(Say(command));
  return AwaitOk();
}

}  // namespace nsctl::engines
