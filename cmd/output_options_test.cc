#include "cmd/output_options.h"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "cmd/usage.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::IsOkAndHolds;
using testing::StatusIs;

absl::StatusOr<Format> Resolve(OutputOptions options, std::vector<std::string> arguments,
                               bool out_is_terminal = false) {
  CLI::App app;
  options.AddTo(&app);
  app.parse(arguments);
  const Environment env{
      .in = base::FdRef(-1),
      .out = nullptr,
      .err = nullptr,
      .out_is_terminal = out_is_terminal,
      .terminal_width = 0,
      .variables = {},
      .system = nullptr,
      .commands = {},
  };
  return options.Resolve(env);
}

TEST(OutputOptions, KnowsEveryFormat) {
  const OutputOptions table("table");
  EXPECT_THAT(Resolve(table, {}), IsOkAndHolds(Format::kTable));
  EXPECT_THAT(Resolve(table, {"--output=json"}), IsOkAndHolds(Format::kJson));
  EXPECT_THAT(Resolve(table, {"-ojsonl"}), IsOkAndHolds(Format::kJsonl));
  EXPECT_THAT(Resolve(table, {"--output=textproto"}), IsOkAndHolds(Format::kTextproto));
  EXPECT_THAT(Resolve(table, {"--output=pb"}), IsOkAndHolds(Format::kPb));
  EXPECT_THAT(Resolve(table, {"--output=pb", "--delimited"}), IsOkAndHolds(Format::kDelimitedPb));
  EXPECT_THAT(Resolve(OutputOptions("json", Format::kLxkns), {"--output=lxkns"}),
              IsOkAndHolds(Format::kLxkns));
  EXPECT_THAT(Resolve(OutputOptions("table", Format::kDot), {"--output=dot"}),
              IsOkAndHolds(Format::kDot));
}

TEST(OutputOptions, RefusesWhatMakesNoSense) {
  const OutputOptions table("table");
  struct Case {
    std::vector<std::string> arguments;
    bool out_is_terminal;
    const char* message;
  };
  const Case cases[] = {
      {{"--output=jsn"}, false, R"(unknown output format "jsn"; did you mean "json"?)"},
      {{"--output=lxkns"}, false, "only snapshot has the output format lxkns"},
      {{"--output=dot"}, false, "only tree and why have the output format dot"},
      {{"--delimited"}, false, "--delimited goes with -o pb only"},
      {{"--output=pb"},
       true,
       "binary output would garble the terminal; redirect it, or use -o textproto"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<Format> format = Resolve(table, c.arguments, c.out_is_terminal);
    EXPECT_THAT(format, StatusIs(absl::StatusCode::kInvalidArgument, c.message));
    EXPECT_TRUE(IsUsageError(format.status())) << c.message;
  }
}

TEST(OutputOptions, OffersItsFormats) {
  EXPECT_EQ(OutputOptions("table").ChoicesOf("FORMAT").size(), 5u);
  EXPECT_EQ(OutputOptions("json", Format::kLxkns).ChoicesOf("FORMAT").size(), 6u);
  EXPECT_TRUE(OutputOptions("table").ChoicesOf("TYPE").empty());
}

}  // namespace
}  // namespace nsctl::cmd
