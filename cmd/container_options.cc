#include "cmd/container_options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr char kGroup[] = "Containers";
constexpr absl::Duration kMaxDuration = absl::Hours(24);

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view option, const std::string& word) {
  absl::Duration duration;
  double seconds = 0;
  if (absl::SimpleAtod(word, &seconds)) {
    // NaN is less than nothing, too.
    duration = seconds >= 0 ? absl::Seconds(seconds) : -absl::InfiniteDuration();
  } else if (!absl::ParseDuration(word, &duration)) {
    duration = -absl::InfiniteDuration();
  }
  if (duration >= absl::ZeroDuration() && duration <= kMaxDuration) return duration;
  return UsageError(
      absl::StrCat(option, " is a duration such as 2s or 500ms, not ", QuotedArgument(word)));
}

void ContainerOptions::AddTo(CLI::App* app) {
  app->add_flag("--no-containers", no_containers_, "ask no container engine")->group(kGroup);
  AddWaitTo(app);
}

void ContainerOptions::AddWaitTo(CLI::App* app) {
  app->add_option("--wait", wait_, "wait so long for container engines to answer; default: 2s")
      ->type_name("DURATION")
      ->take_last()
      ->group(kGroup);
}

absl::StatusOr<std::optional<absl::Duration>> ContainerOptions::Resolve() const {
  NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, ResolveWait());
  if (no_containers_) return std::nullopt;
  return wait;
}

absl::StatusOr<absl::Duration> ContainerOptions::ResolveWait() const {
  if (wait_.empty()) return kEnginePatience;
  return ParseDuration("--wait", wait_);
}

}  // namespace nsctl::cmd
