// The options that say in which form a result is written.

#ifndef NSCTL_CMD_OUTPUT_OPTIONS_H_
#define NSCTL_CMD_OUTPUT_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/command.h"
#include "cmd/environment.h"

namespace nsctl::cmd {

enum class Format {
  // For people.
  kTable,
  // The command's one message.
  kJson,
  kTextproto,
  kPb,
  // The message in records: one per line, one after its length.
  kJsonl,
  kDelimitedPb,
  // What lxkns's clients read.
  kLxkns,
  // A graph for Graphviz.
  kDot,
};

class OutputOptions {
 public:
  // `default_format`: the word of one. `own`: kLxkns or kDot where the command has that format too.
  explicit OutputOptions(const char* default_format, std::optional<Format> own = std::nullopt)
      : default_format_(default_format), own_(own), format_(default_format) {}

  void AddTo(CLI::App* app);

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const;

  // Errors: UsageError for an unknown format, --delimited without pb, and pb on a terminal.
  absl::StatusOr<Format> Resolve(const Environment& env) const;

 private:
  const char* default_format_;
  std::optional<Format> own_;
  std::string format_;
  bool delimited_ = false;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_OUTPUT_OPTIONS_H_
