// Where a snapshot comes from: the live host, another procfs, or a file.

#ifndef NSCTL_CMD_SOURCE_OPTIONS_H_
#define NSCTL_CMD_SOURCE_OPTIONS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/command.h"
#include "cmd/engine_inquiry.h"
#include "cmd/environment.h"
#include "cmd/scan_options.h"
#include "nsdisc/discover.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

class SourceOptions {
 public:
  // --from and --procfs.
  void AddTo(CLI::App* app);

  // --census, for commands whose result it can change; its words; whether it asks for the census by
  // BPF. Errors: UsageError for an unknown word.
  void AddCensusTo(CLI::App* app) { AddCensusTo(app, &census_); }
  static void AddCensusTo(CLI::App* app, std::string* census);
  static std::vector<Choice> CensusChoices();
  static absl::StatusOr<bool> WantsBpf(const std::string& census);

  // Takes a snapshot as `wanted` says, or reads the one that --from names, with the threads of
  // `scope`. Where the user did not say which, a scan looks for those of `wanted`, and a file gives
  // what it has. Namespaces of all types are in it, since a view on some types relates them to
  // others; what a file was taken without is a gap. A file has whatever detail it was written with.
  // Errors: UsageError where both options were given, or a file is to be without sources; those of
  // opening and reading, one line each; FAILED_PRECONDITION where the directory of --procfs shows
  // no process.
  absl::StatusOr<std::unique_ptr<nsdisc::Snapshot>> Acquire(const ScanScope& scope,
                                                            const nsdisc::DiscoverOptions& wanted,
                                                            Environment& env) const;
  // The same, with nothing else wanted.
  absl::StatusOr<std::unique_ptr<nsdisc::Snapshot>> Acquire(
      const ScanScope& scope, nsdisc::ScanOptions::Threads default_threads,
      nsdisc::ProcessDetail detail, Environment& env) const;

  // --from was given.
  bool is_file() const { return !from_.empty(); }
  // The directory of --procfs; empty for the live one.
  const std::string& procfs() const { return procfs_; }
  // The snapshot in the file `name`, as --from reads it; "-" is the standard input.
  static absl::StatusOr<std::unique_ptr<nsdisc::Snapshot>> ReadFrom(const std::string& name,
                                                                    Environment& env);

  // A scan as `wanted` says, with names for uids, of the procfs at `directory`, or of the live one
  // where that is empty; with the containers, `what` of them, of engines that answer within
  // `engines` of the start, where they are asked. Errors: as those of Acquire.
  static absl::StatusOr<std::unique_ptr<nsdisc::Snapshot>> Scan(
      const std::string& directory, const nsdisc::DiscoverOptions& wanted,
      std::optional<absl::Duration> engines, AskFor what, Environment& env);

  // Neither option was given.
  bool is_live() const { return from_.empty() && procfs_.empty(); }

 private:
  std::string from_;
  std::string procfs_;
  std::string census_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SOURCE_OPTIONS_H_
