// What an option's value is called in help: "FILE", "TYPE,..." for a list that commas separate,
// "[THREADS]" for a value that may be left out. It is CLI11's type name of the option.

#ifndef NSCTL_CMD_PLACEHOLDER_H_
#define NSCTL_CMD_PLACEHOLDER_H_

#include <string>

#include "CLI/Option.hpp"
#include "absl/strings/string_view.h"

namespace nsctl::cmd {

struct Placeholder {
  // "FILE", "TYPE", "THREADS"; empty for flags.
  std::string word;
  bool list = false;
  bool optional = false;

  friend bool operator==(const Placeholder&, const Placeholder&) = default;
};

Placeholder ParsePlaceholder(absl::string_view type_name);

// The placeholder of `option`; the empty one for flags.
Placeholder PlaceholderOf(const CLI::Option& option);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PLACEHOLDER_H_
