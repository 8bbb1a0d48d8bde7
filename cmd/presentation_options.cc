#include "cmd/presentation_options.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr char kGroup[] = "Appearance";
// For terminals that do not tell.
constexpr size_t kDefaultWidth = 80;
constexpr size_t kWidest = 10'000;

size_t WidthOf(const Environment& env) {
  size_t width = 0;
  if (absl::SimpleAtoi(env.variables.columns, &width) && width > 0 && width <= kWidest) {
    return width;
  }
  return env.terminal_width > 0 ? env.terminal_width : kDefaultWidth;
}

bool IsUtf8(absl::string_view locale) {
  const std::string name = absl::AsciiStrToLower(locale);
  return absl::StrContains(name, "utf-8") || absl::StrContains(name, "utf8");
}

}  // namespace

void PresentationOptions::AddTruncationTo(CLI::App* app) {
  app->add_flag("--no-truncate", no_truncate_, "never cut a line, shorten an id or a list")
      ->group(kGroup);
}

void PresentationOptions::AddColorTo(CLI::App* app) {
  app->add_option("--color", color_,
                  "auto (default: on a terminal, unless NO_COLOR is set), always or never")
      ->type_name("WHEN")
      ->take_last()
      ->group(kGroup);
}

void PresentationOptions::AddHeadingsTo(CLI::App* app, const char* names) {
  app->add_flag(names, no_headings_, "leave out the line of headings")->group(kGroup);
}

void PresentationOptions::AddGlyphsTo(CLI::App* app) {
  app->add_flag("--ascii", ascii_, "draw with ASCII, as is done where the locale is not UTF-8")
      ->group(kGroup);
}

std::vector<Choice> PresentationOptions::ChoicesOf(absl::string_view placeholder) {
  if (placeholder != "WHEN") return {};
  return {{"auto", ""}, {"always", ""}, {"never", ""}};
}

absl::StatusOr<Presentation> PresentationOptions::Resolve(const Environment& env) const {
  Presentation presentation;
  if (color_ == "auto") {
    presentation.color = env.out_is_terminal && !env.variables.no_color;
  } else if (color_ == "always") {
    presentation.color = true;
  } else if (color_ != "never") {
    return UnknownWord("value of --color", color_, {"auto", "always", "never"});
  }
  const bool unicode = !ascii_ && IsUtf8(env.variables.locale);
  presentation.glyphs = unicode ? &kUnicodeGlyphs : &kAsciiGlyphs;
  presentation.width = env.out_is_terminal && !no_truncate_ ? WidthOf(env) : 0;
  presentation.shorten = env.out_is_terminal && !no_truncate_;
  presentation.whole_lists = no_truncate_;
  presentation.headings = !no_headings_;
  return presentation;
}

}  // namespace nsctl::cmd
