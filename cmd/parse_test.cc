#include "cmd/parse.h"

#include <memory>
#include <string>
#include <vector>

#include "cmd/usage.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::IsOkAndHolds;
using testing::StatusIs;

class SampleCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("view", view)->type_name("VIEW");
    app->add_option("-f,--from", from)->type_name("FILE")->take_last();
    app->add_option("-t,--type", types)->type_name("TYPE,...")->allow_extra_args(false);
    app->add_option("--tasks", tasks)->type_name("[THREADS]")->default_str("all")->take_last();
    app->add_flag("--strict", strict);
  }
  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder != "THREADS") return {};
    return {{"none", ""}, {"all", ""}};
  }
  absl::StatusOr<ExitStatus> Run(Environment&) override { return ExitStatus::kDone; }

  std::string view, from, tasks;
  std::vector<std::string> types;
  bool strict = false;
};

absl::StatusOr<ParseOutcome> Parse(SampleCommand& command, std::vector<std::string> arguments) {
  const std::unique_ptr<CLI::App> app = MakeParser(command);
  return ParseArguments(std::move(arguments), command, app.get());
}

TEST(ParseArguments, FillsTheCommand) {
  SampleCommand command;

  EXPECT_THAT(Parse(command, {"-f", "a", "--from=b", "-tnet", "--type", "mnt,pid", "user",
                              "--strict", "--tasks=none"}),
              IsOkAndHolds(ParseOutcome::kRun));

  EXPECT_EQ(command.from, "b");
  EXPECT_THAT(command.types, ElementsAre("net", "mnt,pid"));
  EXPECT_EQ(command.view, "user");
  EXPECT_EQ(command.tasks, "none");
  EXPECT_TRUE(command.strict);
}

TEST(ParseArguments, LeavesTheWordAfterAnOptionalValueAlone) {
  SampleCommand bare;
  EXPECT_THAT(Parse(bare, {"--tasks", "user"}), IsOkAndHolds(ParseOutcome::kRun));
  EXPECT_EQ(bare.tasks, "all");
  EXPECT_EQ(bare.view, "user");

  SampleCommand with_word;
  EXPECT_THAT(Parse(with_word, {"--tasks", "none", "user"}), IsOkAndHolds(ParseOutcome::kRun));
  EXPECT_EQ(with_word.tasks, "none");
  EXPECT_EQ(with_word.view, "user");
}

TEST(ParseArguments, TakesDashesForStdinAndForTheEndOfOptions) {
  SampleCommand command;

  EXPECT_THAT(Parse(command, {"--from", "-", "--", "user"}), IsOkAndHolds(ParseOutcome::kRun));

  EXPECT_EQ(command.from, "-");
  EXPECT_EQ(command.view, "user");
}

TEST(ParseArguments, HelpsWhateverElseIsThere) {
  SampleCommand command;

  EXPECT_THAT(Parse(command, {"--nonsense", "-h"}), IsOkAndHolds(ParseOutcome::kHelp));
}

TEST(ParseArguments, NamesWhatIsWrong) {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const Case cases[] = {
      {{"--form", "x"}, R"(unknown option "--form"; did you mean "--from"?)"},
      {{"--form=x"}, R"(unknown option "--form"; did you mean "--from"?)"},
      {{"-z"}, R"(unknown option "-z")"},
      {{"user", "pid"}, R"(unexpected argument "pid")"},
      {{"--from"}, "option --from needs a value"},
      {{"-f"}, "option --from needs a value"},
      {{"--from="}, R"(option --from needs a value after "=")"},
      {{"--from", ""}, "--from has an empty value"},
      {{""}, "view has an empty value"},
      {{"--type", "net", "--type", ""}, "--type has an empty value"},
      {{"--strict=yes"}, "option --strict takes no value"},
  };
  for (const Case& c : cases) {
    SampleCommand command;
    const absl::StatusOr<ParseOutcome> outcome = Parse(command, c.arguments);
    EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kInvalidArgument, c.message));
    EXPECT_TRUE(IsUsageError(outcome.status())) << c.message;
  }
}

}  // namespace
}  // namespace nsctl::cmd
