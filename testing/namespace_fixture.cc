#include "testing/namespace_fixture.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "testing/fixture_child.h"

namespace nsctl::testing {
namespace {

using procfsroot::NamespaceLinks;

constexpr int kTimeoutMs = 20000;

bool HasSysAdmin() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data = {};
  return syscall(SYS_capget, &header, data.data()) == 0 &&
         (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

int FlagsOf(const ProcessSpec& spec) {
  int flags = spec.namespaces | spec.for_children;
  for (const int thread : spec.threads) flags |= thread;
  return flags;
}

absl::Status CheckSpec(const ProcessSpec& spec, bool is_last) {
  if (spec.threads.size() > NamespaceFixture::kMaxThreads) {
    return absl::InvalidArgumentError("too many threads");
  }
  if (spec.zombie_leader && (!is_last || spec.threads.empty())) {
    return absl::InvalidArgumentError("only the last process can be a zombie, with threads");
  }
  return absl::OkStatus();
}

absl::Status CheckChain(const std::vector<ProcessSpec>& chain) {
  if (chain.empty() || chain.size() > NamespaceFixture::kMaxProcesses) {
    return absl::InvalidArgumentError("no chain, or one that is too long");
  }
  int flags = 0;
  for (const ProcessSpec& spec : chain) {
    NSCTL_RETURN_IF_ERROR(CheckSpec(spec, &spec == &chain.back()));
    flags |= FlagsOf(spec);
  }
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::string link = absl::StrCat("/proc/self/ns/", info.name);
    if ((flags & static_cast<int>(info.clone_flag)) != 0 && access(link.c_str(), F_OK) != 0) {
      return absl::UnimplementedError(absl::StrCat("the kernel has no ", info.name, " namespaces"));
    }
  }
  // Who is root in a user namespace of its own may make the others.
  if (flags != 0 && (chain[0].namespaces & CLONE_NEWUSER) == 0 && !HasSysAdmin()) {
    return absl::PermissionDeniedError("making namespaces needs CAP_SYS_ADMIN");
  }
  return absl::OkStatus();
}

// A link's text is "net:[4026531840]". Parsed here once more: what tests compare with this came
// through the project's own parser.
NamespaceLinks::Entry ToEntry(const LinkReport& report) {
  const char* const bracket = strchr(report.text, '[');
  unsigned int inode = 0;
  if (bracket != nullptr) sscanf(bracket, "[%u]", &inode);
  return {.inode = inode, .error = report.error};
}

NamespaceLinks ToLinks(const TaskReport& report) {
  NamespaceLinks links;
  for (size_t i = 0; i < links.in.size(); ++i) {
    links.in[i] = ToEntry(report.in[i]);
    links.for_children[i] = ToEntry(report.for_children[i]);
  }
  return links;
}

RealProcess ToProcess(const ProcessReport& report, size_t thread_count) {
  RealProcess process = {base::Pid{report.process.id}, ToLinks(report.process), {}};
  for (size_t i = 0; i < thread_count; ++i) {
    process.threads.push_back({base::Tid{report.threads[i].id}, ToLinks(report.threads[i])});
  }
  return process;
}

// Waits until the main thread of `process` has ended: it rests, and ends right after.
absl::Status AwaitZombie(const RealProcess& process) {
  const std::string path = absl::StrCat("/proc/", process.pid.value, "/stat");
  const absl::Time deadline = absl::Now() + absl::Milliseconds(kTimeoutMs);
  while (absl::Now() < deadline) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (absl::StrContains(text, ") Z ")) return absl::OkStatus();
    sched_yield();
  }
  return absl::DeadlineExceededError("wait for a zombie");
}

void Reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Kill(const base::OwnedFd& pidfd) {
  syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NamespaceFixture>> NamespaceFixture::Start(
    const std::vector<ProcessSpec>& chain) {
  NSCTL_RETURN_IF_ERROR(CheckChain(chain));
  void* const memory =
      mmap(nullptr, sizeof(ChainReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    return base::ErrnoStatus(error, "mmap");
  }
  const absl::Cleanup unmap = [memory] { munmap(memory, sizeof(ChainReport)); };
  // All zero, which means that nothing has failed.
  auto* const report = static_cast<ChainReport*>(memory);

  const pid_t first = StartProcess(chain, 0, kTimeoutMs, report);
  // Owns what runs from here on, a part of a chain too.
  auto fixture = absl::WrapUnique(new NamespaceFixture(first));
  if (report->failed_call != nullptr) {
    if (report->error == ETIMEDOUT) return absl::DeadlineExceededError(report->failed_call);
    return base::ErrnoStatus(report->error, report->failed_call);
  }
  for (size_t i = 0; i < chain.size(); ++i) {
    fixture->processes_.push_back(ToProcess(report->processes[i], chain[i].threads.size()));
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd pidfd, base::OpenPidfd(fixture->processes_.back().pid));
    fixture->pidfds_.push_back(std::move(pidfd));
  }
  if (chain.back().zombie_leader) NSCTL_RETURN_IF_ERROR(AwaitZombie(fixture->last()));
  return fixture;
}

NamespaceFixture::~NamespaceFixture() {
  if (first_ <= 0) return;
  if (!pidfds_.empty()) {
    // Each process waits for the one after it and then ends, so nothing is left to anybody else.
    Kill(pidfds_.back());
    struct pollfd ended = {.fd = pidfds_.front().get(), .events = POLLIN, .revents = 0};
    if (poll(&ended, 1, kTimeoutMs) == 1) {
      Reap(first_);
      return;
    }
    ADD_FAILURE() << "process " << processes_.front().pid.value << " does not end";
    absl::c_for_each(pidfds_, Kill);
  }
  kill(first_, SIGKILL);
  Reap(first_);
}

bool CannotMakeNamespaces(const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  if (error == 0) return absl::IsPermissionDenied(status) || absl::IsUnimplemented(status);
  // The last two: user_namespaces(7), "max_*_namespaces".
  return base::IsDenied(error) || error == ENOSYS || error == ENOSPC || error == EUSERS;
}

}  // namespace nsctl::testing
