#include "cmd/commands.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cmd/completion_model.h"
#include "cmd/help_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

TEST(AllCommands, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const CommandEntry& entry : AllCommands()) {
    EXPECT_TRUE(names.insert(entry.info->name).second) << entry.info->name;
    if (entry.info->alias != nullptr) {
      EXPECT_TRUE(names.insert(entry.info->alias).second) << entry.info->alias;
    }
  }
}

// What completion and help rely on.
TEST(AllCommands, ExplainEveryOption) {
  for (const CompletionCommand& command : MakeCompletionModel(AllCommands())) {
    for (const CompletionOption& option : command.options) {
      EXPECT_THAT(option.summary, Not(IsEmpty())) << command.names[0] << " " << option.long_name;
      // CLI11's own type names.
      EXPECT_NE(option.placeholder.word, "TEXT") << command.names[0] << " " << option.long_name;
    }
  }
}

TEST(AllCommands, HaveHelpThatFitsOnATerminal) {
  for (const CommandEntry& entry : AllCommands()) {
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(CommandHelpText("", entry), '\n'))) {
      EXPECT_LT(line.size(), 80u) << line;
    }
  }
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(OverviewText(AllCommands()), '\n'))) {
    EXPECT_LT(line.size(), 80u) << line;
  }
}

}  // namespace
}  // namespace nsctl::cmd
