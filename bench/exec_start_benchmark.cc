// From the call of `nsctl exec` to the first byte of its command, against nsenter with the same
// namespaces of the same process. The budget is 1.3 times nsenter.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "benchmark/benchmark.h"

namespace nsctl {
namespace {

constexpr char kNsctl[] = "cmd/nsctl";
constexpr char kNsenter[] = "/usr/bin/nsenter";

// A process in namespaces of its own until the program's end; 0 where that is not allowed.
pid_t Target() {
  static const pid_t target = [] {
    base::Pipe ready = *base::MakePipe();
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      constexpr int kTypes =
          CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
      const char sign = unshare(kTypes) == 0 ? 'y' : 'n';
      if (write(ready.write_end.get(), &sign, 1) != 1) _exit(1);
      while (true) pause();
    }
    char sign = 'n';
    if (read(ready.read_end.get(), &sign, 1) != 1) abort();
    return sign == 'y' ? pid : 0;
  }();
  return target;
}

// Seconds until the program has written something.
double Start(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  base::Pipe out = *base::MakePipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), STDOUT_FILENO);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid;
  // posix_spawn returns its error.
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  (void)out.write_end.Close();
  char byte;
  const bool started = error == 0 && read(out.read_end.get(), &byte, 1) == 1;
  const auto end = std::chrono::steady_clock::now();
  if (error == 0) waitpid(pid, nullptr, 0);
  return started ? std::chrono::duration<double>(end - begin).count() : -1;
}

void Run(benchmark::State& state, const std::vector<std::string>& words) {
  if (Target() == 0) return state.SkipWithError("needs CAP_SYS_ADMIN");
  for (auto _ : state) {
    const double seconds = Start(words);
    if (seconds < 0) return state.SkipWithError("the command did not start");
    state.SetIterationTime(seconds);
  }
}

void BM_ExecStart_Nsctl(benchmark::State& state) {
  Run(state, {kNsctl, "exec", absl::StrCat(Target()), "--", "/bin/echo"});
}
void BM_ExecStart_Nsenter(benchmark::State& state) {
  Run(state, {kNsenter, "-a", "-t", absl::StrCat(Target()), "/bin/echo"});
}
void BM_ExecStartNet_Nsctl(benchmark::State& state) {
  Run(state, {kNsctl, "exec", "-n", absl::StrCat(Target()), "--", "/bin/echo"});
}
void BM_ExecStartNet_Nsenter(benchmark::State& state) {
  Run(state, {kNsenter, "-n", "-t", absl::StrCat(Target()), "/bin/echo"});
}

BENCHMARK(BM_ExecStart_Nsctl)->UseManualTime();
BENCHMARK(BM_ExecStart_Nsenter)->UseManualTime();
BENCHMARK(BM_ExecStartNet_Nsctl)->UseManualTime();
BENCHMARK(BM_ExecStartNet_Nsenter)->UseManualTime();

}  // namespace
}  // namespace nsctl
