// System failures as absl::Status that still know their errno.
//
// Every failed system call becomes one status: "call path: reason (ENAME)", its code chosen by
// Abseil's table and its errno kept as a payload, so that a caller can still tell EACCES from
// EPERM. This library does not retry, does not log and never reads the global errno itself: callers
// copy errno in the first statement after the call.
//
//   int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
//   if (fd < 0) {
//     const int error = errno;
//     return ErrnoStatus(error, "open", path);
//   }

#ifndef NSCTL_BASE_ERRORS_H_
#define NSCTL_BASE_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::base {

// The failure `error` (a positive errno) of `call` on `path` (empty where there is none). The path
// is escaped as in text.h, so a hostile name cannot forge a message.
absl::Status ErrnoStatus(int error, absl::string_view call, absl::string_view path = "");

// The errno that `status` was made from; 0 for OK and for statuses that come from no system call.
int ErrnoOf(const absl::Status& status);

// "EACCES" for EACCES; "E123" for a number without a name.
std::string ErrnoName(int error);

// The thing was there and is no longer, or never was (ENOENT, ESRCH). For processes this is data:
// skip and count.
bool IsGone(int error);
bool IsGone(const absl::Status& status);

// The kernel refused (EACCES, EPERM). For discovery this is a gap: record it and go on.
bool IsDenied(int error);
bool IsDenied(const absl::Status& status);

// The kernel does not know the call, request, flag or field (ENOSYS, ENOTTY, EOPNOTSUPP, EINVAL,
// and E2BIG for a structure that grew). But for ENOSYS they mean this only where the arguments are
// known to be well formed.
bool IsUnsupported(int error);
bool IsUnsupported(const absl::Status& status);

// `status` with `context` put before its message, payloads kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_ERRORS_H_
