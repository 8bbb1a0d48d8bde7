// The options that say what is looked at: --type, --tasks and --without.

#ifndef NSCTL_CMD_SCAN_OPTIONS_H_
#define NSCTL_CMD_SCAN_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "cmd/command.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

struct ScanScope {
  // In the order of base::kNamespaceTypes, each once; empty: all.
  std::vector<base::NamespaceType> types = {};
  // Absent where the user did not say.
  std::optional<nsdisc::ScanOptions::Threads> threads = {};
  // With the mounts of all mount namespaces.
  bool mounts = false;
  // With all sets of capabilities of processes.
  bool all_capability_sets = false;
  // Say where descriptors wait in sockets.
  bool descriptors_in_flight = false;
  // Sources that are left out; false for each that is.
  bool fds = true;
  bool sockets = true;
  bool bind_mounts = true;
  bool kernel_lists = true;
  bool names = true;
  // A source that is not looked at else: the kernel's memory, by BPF.
  bool bpf_census = false;

  bool leaves_out_sources() const {
    return !fds || !sockets || !bind_mounts || !kernel_lists || !names;
  }
  // How long container engines may take to answer; absent where they are not asked.
  std::optional<absl::Duration> engines = {};
  // They are also asked for containers that do not run.
  bool stopped_containers = false;
};

class ScanScopeOptions {
 public:
  // `type_help` says what --type does in this command.
  void AddTo(CLI::App* app, const char* type_help);

  static std::vector<Choice> ChoicesOf(absl::string_view placeholder);

  // Errors: UsageError for unknown types and words.
  absl::StatusOr<ScanScope> Resolve() const;

 private:
  std::vector<std::string> types_;
  std::string threads_;
  std::vector<std::string> without_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SCAN_OPTIONS_H_
