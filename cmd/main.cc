// The nsctl binary: hands the real world to dispatch.h.

#include <fcntl.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cmd/command_table.h"
#include "cmd/commands.h"
#include "cmd/dispatch.h"
#include "cmd/environment.h"
#include "cmd/live_system.h"
#include "cmd/run_apart.h"
#include "cmd/writer.h"

namespace nsctl::cmd {
namespace {

// A standard descriptor that the caller closed would be dealt to the first file that is opened,
// which then would be written to. One that cannot be used in the way it is meant takes its place,
// so that use still fails with EBADF.
#if defined(__clang__)
[[clang::no_sanitize("address", "undefined", "thread")]]
#endif
void OccupyStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0) continue;
    // The lowest free number is dealt, which is `fd`. Standard descriptors are for children too.
    const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (syscall(SYS_openat, AT_FDCWD, "/dev/null", mode | O_CLOEXEC) != fd) return;
    if (syscall(SYS_fcntl, fd, F_SETFD, 0) != 0) return;
  }
}
// Before any constructor, as those of libraries open files; by bare system calls, as nothing else
// is ready.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const occupy_standard_descriptors)() = OccupyStandardDescriptors;

std::string Variable(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstSet(const std::vector<const char*>& names) {
  for (const char* name : names) {
    if (std::string value = Variable(name); !value.empty()) return value;
  }
  return "";
}

std::vector<std::string> AllVariables() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  return variables;
}

size_t TerminalWidth(int fd) {
  struct winsize size = {};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Where stdout goes does not matter: `nsctl snapshot >file` is waited for as well.
size_t ProgressWidth() {
  constexpr size_t kUnknown = 80;
  if (isatty(STDERR_FILENO) != 1 || Variable("TERM") == "dumb") return 0;
  const size_t width = TerminalWidth(STDERR_FILENO);
  return width > 0 ? width : kUnknown;
}

// glibc makes the heap of a thread larger page by page, with a call for each, but what it begins
// with, which costs nothing until it is used. Setting this ends the adjustment of the two others.
void SetUpHeaps() {
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int Main(int argc, char** argv) {
  SetUpHeaps();
  FdWriter out(base::FdRef(STDOUT_FILENO, "stdout"));
  FdWriter err(base::FdRef(STDERR_FILENO, "stderr"));
  LiveSystem system;
  Environment env{
      .in = base::FdRef(STDIN_FILENO, "stdin"),
      .out = &out,
      .err = &err,
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .terminal_width = TerminalWidth(STDOUT_FILENO),
      .progress_width = ProgressWidth(),
      .variables = {.no_color = !Variable("NO_COLOR").empty(),
                    .columns = Variable("COLUMNS"),
                    .locale = FirstSet({"LC_ALL", "LC_CTYPE", "LANG"}),
                    .all = AllVariables()},
      .system = &system,
      .commands = AllCommands(),
  };
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto run = [&] { return static_cast<int>(RunNsctl(arguments, env)); };
  const CommandEntry* const entry =
      arguments.empty() ? nullptr : FindCommand(arguments[0], env.commands);
  const Apart apart = entry == nullptr ? Apart::kNo : entry->info->apart;
  if (apart == Apart::kNo) return run();
  return RunApart([&](const ApartRun& once) {
    system.LeaveOut(once.held);
    out.TellBeforeWriting(once.is_final);
    if (apart == Apart::kOnce) *once.is_final = true;
    return run();
  });
}

}  // namespace
}  // namespace nsctl::cmd

int main(int argc, char** argv) {
  const int status = nsctl::cmd::Main(argc, argv);
#ifdef __clang__
  // Of the sanitizers: leaks are looked for on the way out.
  return status;
#else
  // All is written, and nobody needs what static destructors give back.
  _exit(status);
#endif
}
