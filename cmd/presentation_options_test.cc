#include "cmd/presentation_options.h"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::StatusIs;

struct Terminal {
  bool is_terminal = false;
  size_t width = 0;
  Variables variables = {};
};

absl::StatusOr<Presentation> Resolve(std::vector<std::string> arguments, const Terminal& terminal) {
  PresentationOptions options;
  CLI::App app;
  options.AddColorTo(&app);
  options.AddTruncationTo(&app);
  options.AddHeadingsTo(&app);
  options.AddGlyphsTo(&app);
  app.parse(arguments);
  const Environment env{
      .in = base::FdRef(-1),
      .out = nullptr,
      .err = nullptr,
      .out_is_terminal = terminal.is_terminal,
      .terminal_width = terminal.width,
      .variables = terminal.variables,
      .system = nullptr,
      .commands = {},
  };
  return options.Resolve(env);
}

TEST(PresentationOptions, ColoursOnTerminalsOnly) {
  EXPECT_FALSE(Resolve({}, {})->color);
  EXPECT_TRUE(Resolve({}, {.is_terminal = true})->color);
  EXPECT_FALSE(Resolve({}, {.is_terminal = true, .variables = {.no_color = true}})->color);
  EXPECT_TRUE(Resolve({"--color=always"}, {.variables = {.no_color = true}})->color);
  EXPECT_FALSE(Resolve({"--color=never"}, {.is_terminal = true})->color);
  EXPECT_THAT(Resolve({"--color=autp"}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       R"(unknown value of --color "autp"; did you mean "auto"?)"));
}

TEST(PresentationOptions, CutsOnTerminalsOnly) {
  const auto width = [](std::vector<std::string> arguments, const Terminal& terminal) {
    return Resolve(std::move(arguments), terminal)->width;
  };
  EXPECT_EQ(width({}, {.variables = {.columns = "60"}}), 0u);
  EXPECT_EQ(width({}, {.is_terminal = true, .width = 100}), 100u);
  EXPECT_EQ(width({}, {.is_terminal = true}), 80u);
  EXPECT_EQ(width({}, {.is_terminal = true, .width = 100, .variables = {.columns = "60"}}), 60u);
  EXPECT_EQ(width({"--no-truncate"}, {.is_terminal = true, .width = 100}), 0u);
  for (const char* nonsense : {"0", "-5", "wide", "99999999999999999999"}) {
    EXPECT_EQ(width({}, {.is_terminal = true, .width = 90, .variables = {.columns = nonsense}}),
              90u)
        << nonsense;
  }
}

TEST(PresentationOptions, DrawsInTheLocalesCharacters) {
  const auto unicode = [](std::vector<std::string> arguments, const std::string& locale) {
    return Resolve(std::move(arguments), {.variables = {.locale = locale}})->glyphs ==
           &kUnicodeGlyphs;
  };
  EXPECT_TRUE(unicode({}, "C.UTF-8"));
  EXPECT_TRUE(unicode({}, "de_DE.utf8"));
  EXPECT_FALSE(unicode({}, "de_DE.ISO-8859-1"));
  EXPECT_FALSE(unicode({}, ""));
  EXPECT_FALSE(unicode({"--ascii"}, "C.UTF-8"));
}

}  // namespace
}  // namespace nsctl::cmd
