// The options that say how human-readable output looks.

#ifndef NSCTL_CMD_PRESENTATION_OPTIONS_H_
#define NSCTL_CMD_PRESENTATION_OPTIONS_H_

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/command.h"
#include "cmd/environment.h"
#include "cmd/presentation.h"

namespace nsctl::cmd {

class PresentationOptions {
 public:
  // --color.
  void AddColorTo(CLI::App* app);
  // --no-truncate, for what is cut to the terminal's width.
  void AddTruncationTo(CLI::App* app);
  // --noheadings, for tables.
  void AddHeadingsTo(CLI::App* app, const char* names = "--noheadings");
  // --ascii, for what is drawn with glyphs.
  void AddGlyphsTo(CLI::App* app);

  static std::vector<Choice> ChoicesOf(absl::string_view placeholder);

  // Errors: UsageError for an unknown --color.
  absl::StatusOr<Presentation> Resolve(const Environment& env) const;

 private:
  std::string color_ = "auto";
  bool no_truncate_ = false;
  bool no_headings_ = false;
  bool ascii_ = false;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PRESENTATION_OPTIONS_H_
