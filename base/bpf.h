// bpf(2), as far as a small program is loaded, run by its maker and forgotten.
//
// Nothing is attached or pinned: a map or a program is gone with its last descriptor.

#ifndef NSCTL_BASE_BPF_H_
#define NSCTL_BASE_BPF_H_

#include <linux/bpf.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/fd.h"

namespace nsctl::base {

// A map of one value, of that many bytes, all 0. `name` is for those who list maps: at most 15
// letters, digits, "_" and ".".
// Errors: ENOSYS where the kernel has no bpf(2); EPERM without CAP_BPF; ENOMEM; E2BIG or EINVAL for
// a value that is too large.
absl::StatusOr<OwnedFd> CreateBpfValue(const char* name, uint32_t size);

// Copies the value into `value`, which has its size.
absl::Status ReadBpfValue(FdRef map, absl::Span<char> value);

struct BpfProgram {
  // As CreateBpfValue's.
  const char* name = "";
  // One of those by which the kernel tells whether a program may call what is for GPL-compatible
  // ones alone (include/linux/license.h).
  const char* license = "";
  absl::Span<const bpf_insn> instructions;
};

// Loads a program of the type BPF_PROG_TYPE_RAW_TRACEPOINT, which is here attached to none. Where
// the kernel refuses the program itself, what its verifier last said is in the message.
// Errors: ENOSYS; EPERM without CAP_BPF and CAP_PERFMON; EINVAL and EACCES where the verifier
// refuses.
absl::StatusOr<OwnedFd> LoadBpfProgram(const BpfProgram& program);

// Runs it once, on this thread and under rcu_read_lock; `arguments` (at most 12) are what its
// context points at.
// Errors: EINVAL where it reads more arguments than there are, and before Linux 5.10.
// Source: net/bpf/test_run.c (bpf_prog_test_run_raw_tp).
absl::Status RunBpfProgram(FdRef program, absl::Span<const uint64_t> arguments);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_BPF_H_
