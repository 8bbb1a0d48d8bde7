// The options that say whether, and how long, container engines are asked.

#ifndef NSCTL_CMD_CONTAINER_OPTIONS_H_
#define NSCTL_CMD_CONTAINER_OPTIONS_H_

#include <optional>
#include <string>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nsctl::cmd {

// What engines have told by then is what there is.
inline constexpr absl::Duration kEnginePatience = absl::Seconds(2);

// "2s", "500ms", "1m30s", or a number of seconds; `option` is what messages call it. Errors:
// UsageError, also for what is less than nothing or more than a day.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view option, const std::string& word);

class ContainerOptions {
 public:
  // --no-containers and --wait.
  void AddTo(CLI::App* app);
  // --wait alone, for commands that ask engines only where a target is a container.
  void AddWaitTo(CLI::App* app);

  // How long engines are waited for; nullopt where they are not to be asked. Errors: UsageError.
  absl::StatusOr<std::optional<absl::Duration>> Resolve() const;
  // The same where nothing switches them off.
  absl::StatusOr<absl::Duration> ResolveWait() const;

 private:
  bool no_containers_ = false;
  std::string wait_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINER_OPTIONS_H_
