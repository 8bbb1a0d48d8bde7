#include "cmd/initial_process.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/text.h"
#include "cmd/target.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using engines::Container;

// "5 minutes": of what is longer, one unit is enough.
std::string AgeText(absl::Duration age) {
  struct Unit {
    const char* name;
    absl::Duration length;
  };
  static constexpr Unit kUnits[] = {
      {"day", absl::Hours(24)}, {"hour", absl::Hours(1)}, {"minute", absl::Minutes(1)}};
  for (const Unit& unit : kUnits) {
    const int64_t count = age / unit.length;
    if (count > 0) return absl::StrCat(count, " ", unit.name, count == 1 ? "" : "s");
  }
  const int64_t seconds = std::max<int64_t>(absl::ToInt64Seconds(age), 0);
  return absl::StrCat(seconds, seconds == 1 ? " second" : " seconds");
}

// "exited, status 3, 5 minutes ago"
std::string HowItEnded(const Container& container, absl::Time now) {
  std::string text = engines::StateName(container.state());
  if (container.has_exit_code()) absl::StrAppend(&text, ", status ", container.exit_code());
  if (container.oom_killed()) absl::StrAppend(&text, ", out of memory");
  if (container.has_finished_at()) {
    const absl::Time end = absl::FromUnixSeconds(container.finished_at().seconds());
    absl::StrAppend(&text, ", ", AgeText(now - end), " ago");
  }
  return text;
}

}  // namespace

absl::StatusOr<ProcessTarget> InitialProcessOf(const Container& container, absl::Time now) {
  if (container.pid() > 0) {
    ProcessTarget process{.pid = {container.pid()}};
    if (container.has_pidfd_inode()) process.pidfd_inode = container.pidfd_inode();
    if (container.start_time() != 0) process.start_time = container.start_time();
    return process;
  }
  const std::string name =
      base::TerminalText(container.name().empty() ? container.id() : container.name());
  if (engines::IsAlive(container.state())) {
    return absl::FailedPreconditionError(
        absl::StrCat("container ", name, " is ", engines::StateName(container.state()),
                     ", but its process cannot be told", container.pid_error().empty() ? "" : ": ",
                     base::TerminalText(container.pid_error())));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("container ", name, " is not running (", HowItEnded(container, now), ")"));
}

}  // namespace nsctl::cmd
