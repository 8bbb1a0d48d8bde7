#include "cmd/exec_environment.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "procfsroot/process_files.h"

namespace nsctl::cmd {

std::vector<std::string> ParseEnvironment(absl::string_view environ) {
  std::vector<std::string> variables;
  procfsroot::ForEachArgument(environ, [&](absl::string_view variable) {
    if (absl::StrContains(variable, '=')) variables.emplace_back(variable);
  });
  return variables;
}

std::vector<std::string> WithVariables(std::vector<std::string> base,
                                       const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    const auto found = std::find_if(base.begin(), base.end(), [&](const std::string& known) {
      return absl::StartsWith(known, name);
    });
    if (found == base.end()) {
      base.push_back(variable);
    } else {
      *found = variable;
    }
  }
  return base;
}

}  // namespace nsctl::cmd
