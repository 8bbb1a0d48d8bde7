// How human-readable output looks: colours, glyphs, width.

#ifndef NSCTL_CMD_PRESENTATION_H_
#define NSCTL_CMD_PRESENTATION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "nsdisc/namespace.pb.h"

namespace nsctl::cmd {

struct Glyphs {
  // What stands before a child with siblings after it, before the last child, and below each of the
  // two on the lines of their descendants. All are three cells wide.
  const char* branch;
  const char* last_branch;
  const char* line;
  const char* blank;
  // Before something that belongs to the node above.
  const char* property;
  // Stands for what was cut.
  const char* ellipsis;
  const char* good;
  const char* limited;
  const char* bad;
  const char* unknown;
};

extern const Glyphs kUnicodeGlyphs;
extern const Glyphs kAsciiGlyphs;

// What a piece of text is, for colouring it.
enum class Role : uint8_t {
  kPlain,
  kHeading,
  kFaint,
  kGood,
  kLimited,
  kBad,
  // One for each Namespace::Type, in that order.
  kUnknownType,
  kMnt,
  kCgroup,
  kUts,
  kIpc,
  kUser,
  kPid,
  kNet,
  kTime,
};

Role RoleOf(nsdisc::Namespace::Type type);

struct Presentation {
  bool color = false;
  const Glyphs* glyphs = &kAsciiGlyphs;
  // Lines are cut to so many cells; 0: never.
  size_t width = 0;
  // Long ids within names and long lists are shortened.
  bool shorten = false;
  // Lists are written whole, however many things are in them.
  bool whole_lists = false;
  bool headings = true;

  // `text` in the colour of `role`, or as it is. `text` must be safe for a terminal.
  std::string Paint(Role role, absl::string_view text) const;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PRESENTATION_H_
