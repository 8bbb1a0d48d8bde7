#include "cmd/command_table.h"

#include <string>
#include <vector>

#include "cmd/usage.h"

namespace nsctl::cmd {

const CommandEntry* FindCommand(absl::string_view word, absl::Span<const CommandEntry> commands) {
  for (const CommandEntry& entry : commands) {
    const CommandInfo& info = *entry.info;
    if (word == info.name || (info.alias != nullptr && word == info.alias)) return &entry;
  }
  return nullptr;
}

absl::Status UnknownCommand(absl::string_view what, absl::string_view word,
                            absl::Span<const CommandEntry> commands) {
  std::vector<std::string> names;
  for (const CommandEntry& entry : commands) {
    names.push_back(entry.info->name);
    if (entry.info->alias != nullptr) names.push_back(entry.info->alias);
  }
  return UnknownWord(what, word, names);
}

}  // namespace nsctl::cmd
