// A TARGET that is taken is taken again from how it is spelled, with any path behind it; an error
// is printable and says that the usage was wrong.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/pid_reference.h"
#include "cmd/target.h"
#include "cmd/usage.h"

namespace {

using nsctl::cmd::ParseTarget;
using nsctl::cmd::ParseTargetPath;
using nsctl::cmd::Target;

void CheckError(const absl::Status& status) {
  const std::string message(status.message());
  if (!nsctl::cmd::IsUsageError(status)) abort();
  if (message.empty() || nsctl::base::TerminalText(message) != message) abort();
}

void CheckTarget(const Target& target) {
  const std::string spelled = nsctl::cmd::ToString(target);
  const auto again = ParseTarget(spelled);
  if (!again.ok() || *again != target) abort();
  const auto with_path = ParseTargetPath(absl::StrCat(spelled, ":/etc/a\\x3ab"));
  if (!with_path.ok() || with_path->target != target || with_path->path != "/etc/a:b") abort();
}

void CheckTargetPath(absl::string_view text) {
  const auto parsed = ParseTargetPath(text);
  if (!parsed.ok()) return CheckError(parsed.status());
  if (parsed->path.empty() || parsed->path.find('\0') != std::string::npos) abort();
  // Only after a process could a path of digits be taken for something else.
  const bool is_process = std::holds_alternative<nsctl::cmd::ProcessTarget>(parsed->target);
  const std::string spelled =
      absl::StrCat(nsctl::cmd::ToString(parsed->target), ":", is_process ? "/" : "",
                   nsctl::base::EncodeText(parsed->path));
  const auto again = ParseTargetPath(spelled);
  if (!again.ok() || again->target != parsed->target) abort();
  if (again->path != absl::StrCat(is_process ? "/" : "", parsed->path)) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), std::min<size_t>(size, 4096));
  if (const auto target = ParseTarget(text); target.ok()) {
    CheckTarget(*target);
  } else {
    CheckError(target.status());
  }
  CheckTargetPath(text);
  if (const auto reference = nsctl::cmd::ParsePidReference(text); reference.ok()) {
    const auto again = nsctl::cmd::ParsePidReference(nsctl::cmd::ToString(*reference));
    if (!again.ok() || *again != *reference) abort();
  } else {
    CheckError(reference.status());
  }
  return 0;
}
