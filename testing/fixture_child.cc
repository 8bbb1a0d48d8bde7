#include "testing/fixture_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "testing/child_fds.h"

namespace nsctl::testing {
namespace {

constexpr size_t kStackSize = 64 << 10;

// Set by one process of a chain at most: who fails ends it.
bool Fail(ChainReport* report, const char* call) {
  report->error = errno;
  report->failed_call = call;
  return false;
}

// "PREFIXnumberSUFFIX" in a buffer of its own.
struct Path {
  Path(const char* prefix, unsigned int number, const char* suffix) {
    char digits[12];
    size_t count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    char* out = stpcpy(text, prefix);
    while (count > 0) *out++ = digits[--count];
    stpcpy(out, suffix);
  }
  char text[64];
};

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  void CloseReadEnd() { Close(&read_end); }
  void CloseWriteEnd() { Close(&write_end); }
  void CloseBoth() {
    CloseReadEnd();
    CloseWriteEnd();
  }

 private:
  static void Close(int* end) {
    if (*end >= 0) close(*end);
    *end = -1;
  }
};

// The pipes between a process and the one before it in the chain.
struct Link {
  // To the child: go on.
  Pipe go;
  // From the child: a step is done.
  Pipe done;
};

bool Tell(int fd) {
  const char byte = 0;
  return write(fd, &byte, 1) == 1;
}

// One byte read, no byte because the other end is closed, or a failure.
enum class Heard { kByte, kEnd, kNothing };

// Waits for `timeout_ms` (-1: without end).
Heard Listen(int fd, int timeout_ms) {
  struct pollfd item = {.fd = fd, .events = POLLIN, .revents = 0};
  int ready;
  do ready = poll(&item, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  if (ready == 0) errno = ETIMEDOUT;
  if (ready != 1) return Heard::kNothing;
  char byte;
  const ssize_t count = read(fd, &byte, 1);
  if (count == 1) return Heard::kByte;
  errno = EPIPE;
  return Heard::kEnd;
}

bool WriteFile(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t count = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return count == static_cast<ssize_t>(text.size());
}

// The process's number in /proc, which need not be its own PID namespace's.
pid_t NumberInProc() {
  char text[32];
  const ssize_t size = readlink("/proc/self", text, sizeof(text));
  pid_t number = 0;
  for (ssize_t i = 0; i < size; ++i) number = number * 10 + (text[i] - '0');
  return number;
}

void ReadLink(const char* directory, const char* entry, LinkReport* report) {
  char path[64];
  stpcpy(stpcpy(path, directory), entry);
  const ssize_t size = readlink(path, report->text, sizeof(report->text) - 1);
  report->error = size < 0 ? errno : 0;
  if (size >= 0) report->text[size] = '\0';
}

void ReportLinks(const char* directory, TaskReport* report) {
  for (size_t i = 0; i < base::kNamespaceTypes.size(); ++i) {
    const base::NamespaceTypeInfo& info = base::kNamespaceTypes[i];
    ReadLink(directory, info.name, &report->in[i]);
    if (info.for_children_entry == nullptr) continue;
    ReadLink(directory, info.for_children_entry, &report->for_children[i]);
  }
}

// Sent when the parent's thread ends. Entering a user namespace and changing uids reset it.
bool EndWithParent() { return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0; }

struct ThreadStart {
  int namespaces;
  int done;
  TaskReport* report;
  ChainReport* chain;
};

// Shares errno with the main thread, which waits until this one is done.
int RunThread(void* argument) {
  const ThreadStart& start = *static_cast<ThreadStart*>(argument);
  EndWithParent();
  start.report->id = 0;
  if (unshare(start.namespaces) != 0) {
    Fail(start.chain, "unshare in a thread");
    syscall(SYS_exit_group, 1);
  }
  char text[64];
  const ssize_t size = readlink("/proc/thread-self", text, sizeof(text));
  for (ssize_t i = 0; i < size; ++i) {
    // "PID/task/TID"
    start.report->id = text[i] == '/' ? 0 : start.report->id * 10 + (text[i] - '0');
    if (text[i] >= 'a' && text[i] <= 'z') start.report->id = 0;
  }
  ReportLinks("/proc/thread-self/ns/", start.report);
  Tell(start.done);
  while (true) syscall(SYS_pause);
}

bool StartThread(int namespaces, TaskReport* report, ChainReport* chain) {
  Pipe done;
  if (!done.Open()) return Fail(chain, "pipe2");
  void* const stack =
      mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return Fail(chain, "mmap");
  ThreadStart start = {namespaces, done.write_end, report, chain};
  const int flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  if (clone(RunThread, static_cast<char*>(stack) + kStackSize, flags, &start) < 0) {
    return Fail(chain, "clone of a thread");
  }
  const bool ok = Listen(done.read_end, -1) == Heard::kByte;
  done.CloseBoth();
  return ok;
}

// A time namespace is for children; whoever has one thread may enter it as well.
bool EnterTimeNamespace(const ProcessSpec& spec, ChainReport* report) {
  if (unshare(CLONE_NEWTIME) != 0) return Fail(report, "unshare of time");
  if (!spec.clock_offsets.empty() && !WriteFile("/proc/self/timens_offsets", spec.clock_offsets)) {
    return Fail(report, "write timens_offsets");
  }
  const int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(report, "open time_for_children");
  const bool ok = setns(fd, CLONE_NEWTIME) == 0 || Fail(report, "setns to time");
  close(fd);
  return ok;
}

bool BecomeRoot(ChainReport* report) {
  if (syscall(SYS_setresgid, 0, 0, 0) != 0) return Fail(report, "setresgid");
  if (syscall(SYS_setresuid, 0, 0, 0) != 0) return Fail(report, "setresuid");
  // Else its files in /proc would be another user's, and the next process's maps out of reach.
  if (prctl(PR_SET_DUMPABLE, 1) != 0) return Fail(report, "prctl PR_SET_DUMPABLE");
  return EndWithParent() || Fail(report, "prctl PR_SET_PDEATHSIG");
}

bool TakeSteps(const ProcessSpec& spec, ProcessReport* own, ChainReport* report) {
  if ((spec.namespaces & CLONE_NEWUSER) && !BecomeRoot(report)) return false;
  if ((spec.namespaces & CLONE_NEWTIME) && !EnterTimeNamespace(spec, report)) return false;
  if (!spec.name.empty()) prctl(PR_SET_NAME, spec.name.c_str());
  for (size_t i = 0; i < spec.threads.size(); ++i) {
    if (!StartThread(spec.threads[i], &own->threads[i], report)) return false;
  }
  if (unshare(spec.for_children) != 0) return Fail(report, "unshare for children");
  return true;
}

bool TakeLastSteps(const ProcessSpec& spec, ChainReport* report) {
  if (!spec.root.empty() && chroot(spec.root.c_str()) != 0) return Fail(report, "chroot");
  errno = spec.setup == nullptr ? 0 : spec.setup();
  return errno == 0 || Fail(report, "setup");
}

// Ends a process once its child, where it has one, has ended.
[[noreturn]] void EndAfter(pid_t child, int status) {
  while (child > 0 && waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  _exit(status);
}

// Ends a process that failed, and its child.
[[noreturn]] void End(pid_t child) {
  if (child > 0) kill(child, SIGKILL);
  EndAfter(child, 1);
}

// Where a process stays: until it is killed, or its child was.
[[noreturn]] void Rest(const ProcessSpec& spec, pid_t child) {
  if (spec.zombie_leader) syscall(SYS_exit, 0);
  if (child > 0) EndAfter(child, 0);
  while (true) pause();
}

[[noreturn]] void RunProcess(absl::Span<const ProcessSpec> chain, size_t number, int timeout_ms,
                             Link link, ChainReport* report) {
  const ProcessSpec& spec = chain[number];
  ProcessReport& own = report->processes[number];
  EndWithParent();
  CloseDescriptorsBut(link.go.read_end, link.done.write_end);
  own.process.id = NumberInProc();
  pid_t child = -1;
  const bool ok = Tell(link.done.write_end) && Listen(link.go.read_end, -1) == Heard::kByte &&
                  TakeSteps(spec, &own, report) &&
                  (number + 1 == chain.size() ||
                   (child = StartProcess(chain, number + 1, timeout_ms, report)) >= 0) &&
                  report->failed_call == nullptr;
  ReportLinks("/proc/self/ns/", &own.process);
  if (!ok || !TakeLastSteps(spec, report)) End(child);
  own.rests = true;
  close(link.go.read_end);
  // What the process before waits for: from here on nothing changes.
  close(link.done.write_end);
  Rest(spec, child);
}

bool WriteMaps(const ProcessSpec& spec, pid_t pid, ChainReport* report) {
  const auto number = static_cast<unsigned int>(pid);
  if (!spec.setgroups.empty() &&
      !WriteFile(Path("/proc/", number, "/setgroups").text, spec.setgroups)) {
    return Fail(report, "write setgroups");
  }
  if (!WriteFile(Path("/proc/", number, "/uid_map").text, spec.uid_map)) {
    return Fail(report, "write uid_map");
  }
  return WriteFile(Path("/proc/", number, "/gid_map").text, spec.gid_map) ||
         Fail(report, "write gid_map");
}

// Leads the process through its steps. One that ends early has said why, unless it was killed.
bool Lead(const ProcessSpec& spec, const ProcessReport& own, int timeout_ms, const Link& link,
          ChainReport* report) {
  const auto has_said_why = [report] {
    return report->failed_call != nullptr || Fail(report, "wait for a process");
  };
  if (Listen(link.done.read_end, timeout_ms) != Heard::kByte) return has_said_why();
  if ((spec.namespaces & CLONE_NEWUSER) && !WriteMaps(spec, own.process.id, report)) return false;
  if (!Tell(link.go.write_end)) return Fail(report, "write");
  const bool ended = Listen(link.done.read_end, timeout_ms) == Heard::kEnd;
  return (ended && own.rests) || has_said_why();
}

}  // namespace

pid_t StartProcess(absl::Span<const ProcessSpec> chain, size_t number, int timeout_ms,
                   ChainReport* report) {
  Link link;
  if (!link.go.Open() || !link.done.Open()) {
    Fail(report, "pipe2");
    link.go.CloseBoth();
    link.done.CloseBoth();
    return -1;
  }
  const int flags = (chain[number].namespaces & ~CLONE_NEWTIME) | SIGCHLD;
  // fork(2) with flags; the C library's clone() wants a function and a stack. The arguments that
  // are 0 stand in another order on some machines.
  const auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, 0, 0, 0, 0));
  if (pid == 0) RunProcess(chain, number, timeout_ms, link, report);
  if (pid < 0) Fail(report, "clone");
  link.done.CloseWriteEnd();
  if (pid > 0) Lead(chain[number], report->processes[number], timeout_ms, link, report);
  // Both ends only now: with a reader of its own this process gets no SIGPIPE when the child is
  // dead.
  link.go.CloseBoth();
  link.done.CloseReadEnd();
  return pid;
}

}  // namespace nsctl::testing
