#include "cmd/presentation.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace nsctl::cmd {
namespace {

// Parameters of SGR (ECMA-48) by Role; the sixteen colours follow the terminal's own theme.
constexpr const char* kColors[] = {
    "",    // kPlain
    "1",   // kHeading
    "2",   // kFaint
    "32",  // kGood
    "33",  // kLimited
    "31",  // kBad
    "2",   // kUnknownType
    "34",  // kMnt
    "31",  // kCgroup
    "36",  // kUts
    "35",  // kIpc
    "33",  // kUser
    "32",  // kPid
    "96",  // kNet
    "94",  // kTime
};

}  // namespace

const Glyphs kUnicodeGlyphs = {
    .branch = "├─ ",
    .last_branch = "└─ ",
    .line = "│  ",
    .blank = "   ",
    .property = "⋄─ ",
    .ellipsis = "…",
    .good = "✓",
    .limited = "!",
    .bad = "✗",
    .unknown = "?",
};

const Glyphs kAsciiGlyphs = {
    .branch = "|- ",
    .last_branch = "`- ",
    .line = "|  ",
    .blank = "   ",
    .property = "o- ",
    .ellipsis = "+",
    .good = "+",
    .limited = "!",
    .bad = "x",
    .unknown = "?",
};

Role RoleOf(nsdisc::Namespace::Type type) {
  const size_t role = static_cast<size_t>(Role::kUnknownType) + static_cast<size_t>(type);
  // A newer schema may know more types.
  return role < std::size(kColors) ? static_cast<Role>(role) : Role::kUnknownType;
}

std::string Presentation::Paint(Role role, absl::string_view text) const {
  const char* const parameters = kColors[static_cast<size_t>(role)];
  if (!color || *parameters == '\0' || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", parameters, "m", text, "\x1b[0m");
}

}  // namespace nsctl::cmd
