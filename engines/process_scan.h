// The processes of a host, as far as finding engines and their containers needs them.

#ifndef NSCTL_ENGINES_PROCESS_SCAN_H_
#define NSCTL_ENGINES_PROCESS_SCAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

struct ScannedProcess {
  base::Pid pid;
  base::Pid parent;
  // Clock ticks since boot.
  uint64_t start_time = 0;
  // At most 15 bytes of the process's choice.
  std::string name = "";
  bool kernel_thread = false;
  bool zombie = false;

  friend bool operator==(const ScannedProcess&, const ScannedProcess&) = default;
};

// Three system calls. Errors: those of reading its stat; NOT_FOUND where it ended.
absl::StatusOr<ScannedProcess> ScanProcess(const procfsroot::Procfs& procfs, base::Pid pid);
// The same of one whose directory is open, for more questions.
absl::StatusOr<ScannedProcess> ScanProcess(const procfsroot::ProcessDir& directory, base::Pid pid);

// The file name of its executable, which the process cannot choose after execve(2). Errors: ENOENT
// for kernel threads and what ended; EACCES without PTRACE_MODE_READ_FSCREDS.
absl::StatusOr<std::string> ReadExecutableName(const procfsroot::ProcessDir& process);

// Its arguments, the first of them its name; at most procfsroot::kMaxCommandLine bytes of them.
absl::StatusOr<std::vector<std::string>> ReadArguments(const procfsroot::ProcessDir& process);

// Inode number of the namespace that the link `name` of its ns/ stands for: "pid". Errors: those of
// readlink(2).
absl::StatusOr<uint64_t> ReadNamespaceInode(const procfsroot::ProcessDir& process,
                                            const char* name);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PROCESS_SCAN_H_
