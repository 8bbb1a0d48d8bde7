#include "cmd/held_processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pipe.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "cmd/ask_apart.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

constexpr size_t kMaxSmallFile = 4096;
// For the search as a whole.
constexpr absl::Duration kSearchTimeout = absl::Seconds(20);
// Where so long no process more was read, those that are being read are held.
constexpr absl::Duration kPatience = absl::Milliseconds(500);
constexpr size_t kFirstThreads = 4;
constexpr size_t kMaxThreads = 256;

// Their first argument is the descriptor of a file or directory of a process.
constexpr int64_t kOfDescriptor[] = {SYS_read,       SYS_pread64,    SYS_openat,     SYS_openat2,
                                     SYS_statx,      SYS_newfstatat, SYS_fstat,      SYS_readlinkat,
                                     SYS_faccessat2, SYS_getdents64, SYS_pidfd_getfd};

// What every command reads of a process.
void Touch(const procfsroot::Procfs& procfs, base::Pid pid) {
  const absl::StatusOr<procfsroot::ProcessDir> process = procfs.OpenProcess(pid);
  if (!process.ok()) return;
  std::string text;
  (void)process->TryReadRecord("stat", procfsroot::kMaxStat, &text);
  (void)process->TryReadRecord("cmdline", kMaxSmallFile, &text);
  (void)process->ReadNamespaceLinks();
  (void)base::OpenAt(process->fd(), "maps", O_RDONLY | O_CLOEXEC);
}

// Reads all processes in threads of which some never come back.
class Search {
 public:
  Search(procfsroot::Procfs procfs, std::vector<base::Pid> pids)
      : procfs_(std::move(procfs)), pids_(std::move(pids)), states_(pids_.size()) {}

  void Work() {
    while (true) {
      const size_t next = next_.fetch_add(1);
      if (next >= pids_.size()) return;
      states_[next] = State::kBegun;
      Touch(procfs_, pids_[next]);
      states_[next] = State::kDone;
    }
  }

  size_t CountDone() const {
    return static_cast<size_t>(std::count(states_.begin(), states_.end(), State::kDone));
  }
  std::vector<pid_t> Begun() const {
    std::vector<pid_t> pids;
    for (size_t i = 0; i < pids_.size(); ++i) {
      if (states_[i] == State::kBegun) pids.push_back(pids_[i].value);
    }
    return pids;
  }
  size_t size() const { return pids_.size(); }

 private:
  enum class State { kAwaited, kBegun, kDone };

  const procfsroot::Procfs procfs_;
  const std::vector<base::Pid> pids_;
  std::atomic<size_t> next_{0};
  std::vector<std::atomic<State>> states_;
};

void StartThreads(const std::shared_ptr<Search>& search, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    try {
      std::thread([search] { search->Work(); }).detach();
    } catch (const std::system_error&) {
      // RLIMIT_NPROC or pids.max: those that are there have to do.
      return;
    }
  }
}

absl::StatusOr<std::string> ListHeld(const std::string& directory) {
  NSCTL_ASSIGN_OR_RETURN(procfsroot::Procfs procfs, procfsroot::Procfs::At(directory));
  NSCTL_ASSIGN_OR_RETURN(std::vector<base::Pid> pids, procfs.ListProcesses());
  size_t threads = kFirstThreads;
  const auto search = std::make_shared<Search>(std::move(procfs), std::move(pids));
  StartThreads(search, threads);
  size_t done = 0;
  absl::Time since = absl::Now();
  while (true) {
    absl::SleepFor(absl::Microseconds(100));
    const size_t now_done = search->CountDone();
    const std::vector<pid_t> begun = search->Begun();
    if (now_done == search->size()) return "";
    if (std::exchange(done, now_done) != now_done) since = absl::Now();
    if (absl::Now() - since < kPatience) continue;
    if (now_done + begun.size() == search->size() || threads == kMaxThreads) {
      return absl::StrJoin(begun, " ");
    }
    StartThreads(search, std::exchange(threads, std::min(2 * threads, kMaxThreads)));
    since = absl::Now();
  }
}

// Reads them in a child, which is killed where one makes it wait. The number of those before it.
size_t TouchInChild(const procfsroot::Procfs& procfs, absl::Span<const base::Pid> pids) {
  absl::StatusOr<base::Pipe> done = base::MakePipe();
  if (!done.ok()) return pids.size();
  const pid_t child = fork();
  if (child < 0) return pids.size();
  if (child == 0) {
    for (const base::Pid pid : pids) {
      Touch(procfs, pid);
      if (!base::WriteAll(done->write_end, "x").ok()) break;
    }
    _exit(0);
  }
  (void)done->write_end.Close();
  size_t count = 0;
  struct pollfd event = {.fd = done->read_end.get(), .events = POLLIN, .revents = 0};
  while (count < pids.size()) {
    const int ready = poll(&event, 1, base::PollTimeout(kPatience));
    if (ready < 0 && errno == EINTR) continue;
    char text[64];
    const ssize_t size = ready <= 0 ? 0 : read(done->read_end.get(), text, sizeof(text));
    if (size <= 0) break;
    count += static_cast<size_t>(size);
  }
  EndChild(child);
  return count;
}

// That of a pidfd, by its number; its procfs is not told.
HeldProcess HeldProcessBehind(absl::string_view fdinfo) {
  for (absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    pid_t pid = 0;
    if (absl::ConsumePrefix(&line, "Pid:") && absl::SimpleAtoi(line, &pid) && pid > 0) {
      return {.procfs = "", .pid = pid};
    }
  }
  return {};
}

// The mount that the descriptor `fd` of a process is on; nothing where that is not told.
std::string MountOf(const procfsroot::ProcessDir& process, uint64_t fd) {
  const std::string fdinfo = process.Read(absl::StrCat("fdinfo/", fd), kMaxSmallFile).value_or("");
  for (absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    if (absl::ConsumePrefix(&line, "mnt_id:")) return std::string(absl::StripAsciiWhitespace(line));
  }
  return "";
}

// Whether `fd` of `reader` is on that very mount of a procfs. Paths alone could be of any file
// system that somebody has mounted elsewhere.
bool IsOn(const procfsroot::Procfs& procfs, const procfsroot::ProcessDir& reader, uint64_t fd) {
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return false;
  const std::string mount = MountOf(*self, static_cast<uint64_t>(procfs.fd().get()));
  return !mount.empty() && MountOf(reader, fd) == mount;
}

// What a thread of `reader` waits for in the system call `call`.
HeldProcess AwaitedIn(absl::string_view call, const procfsroot::Procfs& procfs,
                      const procfsroot::ProcessDir& reader) {
  const std::vector<absl::string_view> words = absl::StrSplit(call, ' ');
  int64_t number = 0;
  uint64_t fd = 0;
  if (words.size() < 2 || !absl::SimpleAtoi(words[0], &number) ||
      !absl::SimpleHexAtoi(words[1], &fd) ||
      std::find(std::begin(kOfDescriptor), std::end(kOfDescriptor), number) ==
          std::end(kOfDescriptor)) {
    return {};
  }
  if (number == SYS_pidfd_getfd) {
    return HeldProcessBehind(reader.Read(absl::StrCat("fdinfo/", fd), kMaxSmallFile).value_or(""));
  }
  if (!IsOn(procfs, reader, fd)) return {};
  char path[kMaxSmallFile];
  const ssize_t size =
      readlinkat(reader.fd().get(), absl::StrCat("fd/", fd).c_str(), path, sizeof(path));
  return size <= 0 ? HeldProcess{} : HeldProcessAt({path, static_cast<size_t>(size)});
}

}  // namespace

void EndChild(pid_t child) {
  kill(child, SIGKILL);
  constexpr int kTries = 500;
  for (int i = 0; i < kTries && waitpid(child, nullptr, WNOHANG) == 0; ++i) usleep(500);
}

HeldProcess HeldProcessAt(absl::string_view path) {
  std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  pid_t number = 0;
  while (!parts.empty() && !absl::SimpleAtoi(parts.back(), &number)) parts.pop_back();
  if (parts.size() >= 4 && parts[parts.size() - 2] == "task") {
    parts.resize(parts.size() - 2);
    if (!absl::SimpleAtoi(parts.back(), &number)) return {};
  }
  if (parts.size() < 2 || number <= 0) return {};
  parts.pop_back();
  return {.procfs = parts.size() == 1 ? "/" : absl::StrJoin(parts, "/"), .pid = number};
}

std::vector<ReaderWatch::Wait> ReaderWatch::Look() {
  std::vector<Wait> waits;
  std::map<pid_t, Call> calls;
  const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
  if (!procfs.ok()) return {};
  const absl::StatusOr<procfsroot::ProcessDir> reader = procfs->OpenProcess({reader_});
  if (!reader.ok()) return {};
  std::string text;
  for (const base::Tid tid : reader->ListThreads().value_or(std::vector<base::Tid>())) {
    const absl::StatusOr<procfsroot::ProcessDir> thread = reader->OpenThread(tid);
    if (!thread.ok() || thread->TryReadRecord("stat", procfsroot::kMaxStat, &text) != 0) continue;
    const absl::StatusOr<procfsroot::StatFields> stat = procfsroot::ParseStat(text);
    if (!stat.ok() || stat->state != 'D') continue;
    Call& call = calls[tid.value];
    if (thread->TryReadRecord("syscall", kMaxSmallFile, &call.text) != 0) continue;
    const auto before = calls_.find(tid.value);
    const bool same = before != calls_.end() && before->second.text == call.text;
    call.looks = same ? before->second.looks + 1 : 1;
    if (call.looks < 2) continue;
    HeldProcess process = AwaitedIn(call.text, *procfs, *reader);
    if (process.pid == 0) continue;
    if (process.procfs.empty()) process.procfs = procfs->path();
    waits.push_back({.process = std::move(process),
                     .looks = call.looks,
                     .is_first_thread = tid.value == reader_});
  }
  calls_ = std::move(calls);
  return waits;
}

std::set<HeldProcess> FindHeldProcesses(const std::string& directory) {
  const absl::StatusOr<std::string> found =
      AskApart("look for processes that cannot be read", kSearchTimeout, {},
               [&] { return ListHeld(directory); });
  std::set<HeldProcess> held;
  if (!found.ok()) return held;
  for (const absl::string_view word : absl::StrSplit(*found, ' ', absl::SkipEmpty())) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(word, &pid)) held.insert({.procfs = directory, .pid = pid});
  }
  return held;
}

std::set<HeldProcess> FindHeldAmong(const std::vector<base::Pid>& pids,
                                    const std::string& directory) {
  std::set<HeldProcess> held;
  const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::At(directory);
  if (!procfs.ok()) return held;
  for (absl::Span<const base::Pid> left = pids; !left.empty();) {
    const size_t read = TouchInChild(*procfs, left);
    if (read >= left.size()) break;
    held.insert({.procfs = directory, .pid = left[read].value});
    left.remove_prefix(read + 1);
  }
  return held;
}

}  // namespace nsctl::cmd
