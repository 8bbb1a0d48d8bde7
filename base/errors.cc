#include "base/errors.h"

#include <string.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "base/text.h"

namespace nsctl::base {
namespace {

constexpr char kErrnoPayload[] = "nsctl/errno";

// Neither translated nor formatted into a shared buffer, unlike strerror(3).
std::string Reason(int error) {
  const char* const text = strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

}  // namespace

absl::Status ErrnoStatus(int error, absl::string_view call, absl::string_view path) {
  std::string message(call);
  if (!path.empty()) absl::StrAppend(&message, " ", TerminalText(EncodeText(path)));
  absl::StrAppend(&message, ": ", Reason(error), " (", ErrnoName(error), ")");
  const absl::StatusCode code = absl::ErrnoToStatusCode(error);
  // A caller that passes 0 by mistake must not turn a failure into success.
  absl::Status status(code == absl::StatusCode::kOk ? absl::StatusCode::kUnknown : code, message);
  status.SetPayload(kErrnoPayload, absl::Cord(absl::StrCat(error)));
  return status;
}

int ErrnoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrnoPayload);
  int error = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &error)) return 0;
  return error;
}

std::string ErrnoName(int error) {
  const char* const name = strerrorname_np(error);
  // The C library calls 0 "0".
  return name != nullptr && error != 0 ? name : absl::StrCat("E", error);
}

bool IsGone(int error) { return error == ENOENT || error == ESRCH; }
bool IsGone(const absl::Status& status) { return IsGone(ErrnoOf(status)); }

bool IsDenied(int error) { return error == EACCES || error == EPERM; }
bool IsDenied(const absl::Status& status) { return IsDenied(ErrnoOf(status)); }

bool IsUnsupported(int error) {
  return error == ENOSYS || error == ENOTTY || error == EOPNOTSUPP || error == EINVAL ||
         error == E2BIG;
}
bool IsUnsupported(const absl::Status& status) { return IsUnsupported(ErrnoOf(status)); }

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view type_url, const absl::Cord& payload) {
    annotated.SetPayload(type_url, payload);
  });
  return annotated;
}

}  // namespace nsctl::base
