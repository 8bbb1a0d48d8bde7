// Parsers of the files of a process's directory: pure functions from text to fields.
//
// Views in results point into the text that was given. Nothing here allocates on success.

#ifndef NSCTL_PROCFSROOT_PROCESS_FILES_H_
#define NSCTL_PROCFSROOT_PROCESS_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"

namespace nsctl::procfsroot {

// Caps for reads of these files. cmdline may be as long as the kernel's argument space; what is
// past the cap is cut, not refused.
inline constexpr size_t kMaxStat = 4096;
inline constexpr size_t kMaxStatus = 64 << 10;
inline constexpr size_t kMaxCgroup = 1 << 20;
inline constexpr size_t kMaxCommandLine = 4096;

// proc_pid_stat(5). Field numbers as there.
struct StatFields {
  // 1
  base::Pid pid;
  // 2: up to 15 bytes of the process's choice (64 for kernel workers): may hold blanks, newlines
  // and parentheses. It ends at the last ')' of the text.
  absl::string_view name;
  // 3
  char state = '?';
  // 4
  base::Pid parent;
  // 9: PF_KTHREAD in the flags.
  bool kernel_thread = false;
  // 19
  int nice = 0;
  // 20
  uint32_t thread_count = 0;
  // 22, clock ticks since boot
  uint64_t start_time = 0;
  // 40 and 41; 0 where the kernel prints fewer fields.
  uint32_t realtime_priority = 0;
  uint32_t policy = 0;
};

// INVALID_ARGUMENT, naming the field, for anything that the kernel does not print. Fields after
// those known here are ignored.
absl::StatusOr<StatFields> ParseStat(absl::string_view text);

// proc_pid_status(5): the fields that no cheaper file has.
struct StatusFields {
  uid_t real_uid = 0;
  uid_t effective_uid = 0;
  // "NSpid:" the PIDs from the procfs's PID namespace downward; the raw list, blank-separated.
  // Empty on kernels before 4.1.
  absl::string_view namespaced_pids;
  // "CapInh:", "CapPrm:", "CapEff:", "CapBnd:" and "CapAmb:".
  uint64_t inheritable_capabilities = 0;
  uint64_t permitted_capabilities = 0;
  uint64_t effective_capabilities = 0;
  uint64_t bounding_capabilities = 0;
  uint64_t ambient_capabilities = 0;
  // "NoNewPrivs:"; nullopt on kernels before 4.10.
  std::optional<bool> no_new_privileges;
};
absl::StatusOr<StatusFields> ParseStatus(absl::string_view text);

// Calls `visit` for each PID in a StatusFields::namespaced_pids. False where the text is malformed.
bool ForEachNamespacedPid(absl::string_view list, absl::FunctionRef<void(base::Pid)> visit);

// One line of proc_pid_cgroup(5), "4:cpu,cpuacct:/a:b": the path may itself hold colons.
struct CgroupLine {
  // 0 for the unified hierarchy.
  uint32_t hierarchy = 0;
  absl::string_view controllers;
  absl::string_view path;
};
// Calls `visit` for each line. INVALID_ARGUMENT, naming the line by number, at the first malformed
// one; lines before it were visited. Names hold no newline: the kernel refuses to make such
// cgroups.
absl::Status ParseCgroup(absl::string_view text, absl::FunctionRef<void(const CgroupLine&)> visit);

// Calls `visit` for each argument of proc_pid_cmdline(5). A last argument without its NUL counts.
void ForEachArgument(absl::string_view text, absl::FunctionRef<void(absl::string_view)> visit);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PROCESS_FILES_H_
