// The options of `nsctl exec`: nsenter's, and ours.

#ifndef NSCTL_CMD_EXEC_OPTIONS_H_
#define NSCTL_CMD_EXEC_OPTIONS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "cmd/command.h"

namespace nsctl::cmd {

// What an option says that was given without the value that may be left out: take the target's.
inline constexpr char kOfTarget[] = "target";

// As given; empty strings and absent values are options that were not.
struct ExecSettings {
  std::vector<std::string> targets;
  std::vector<std::string> command;
  // Of the words that they were taken from (exec_words.h).
  std::string problem;

  // By NamespaceType: kOfTarget, a path, or ":" and a kernel's id.
  std::array<std::string, base::kNamespaceTypeCount> namespaces;
  bool all = false;
  std::string net_socket;
  bool user_parent = false;
  bool gons_env = false;

  std::string user;
  std::string group;
  std::string groups;
  bool preserve_credentials = false;
  bool keep_capabilities = false;
  std::string capabilities;
  bool no_new_privileges = false;
  bool follow_context = false;

  // kOfTarget or a path.
  std::string root;
  std::string directory;
  std::string inner_directory;
  bool join_cgroup = false;
  bool target_environment = false;
  bool clear_environment = false;
  std::vector<std::string> variables;

  // "auto", "always"
  std::string terminal;
  bool no_fork = false;
  bool dry_run = false;
  bool each = false;
  std::string jobs;
  std::string timeout;
  std::string report;

  bool AsksForNamespaces() const;
  // 0 where `jobs` is no number above 0.
  size_t JobLimit() const;
  // How long a command may run: for ever without --timeout, not at all where that is no number
  // above 0.
  absl::Duration TimeLimit() const;
};

// Binds `settings`, which outlives `app`, to options.
void AddExecOptions(CLI::App* app, ExecSettings* settings);

std::vector<Choice> ExecChoicesOf(absl::string_view placeholder);

// UsageError for options that contradict each other or lack what they need.
absl::Status CheckExecSettings(const ExecSettings& settings);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_OPTIONS_H_
