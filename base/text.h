// The one text encoder: kernel bytes to text that can be stored, printed and turned back.
//
// Names, paths, command lines and labels are bytes that a container chose. Stored text (protobuf
// and JSON) is UTF-8 in which every byte that is not valid UTF-8 is written \xHH and every
// backslash is written as two, so nothing is lost. Text for a terminal is stored text in which
// control characters, C1 controls, bidirectional overrides and zero-width characters are escaped as
// well.

#ifndef NSCTL_BASE_TEXT_H_
#define NSCTL_BASE_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::base {

// Kernel bytes -> stored text. Valid UTF-8 without a backslash comes back unchanged; NUL is valid.
// Overlong forms, surrogates and code points above U+10FFFF are not valid UTF-8.
std::string EncodeText(absl::string_view bytes);

// As EncodeText, appending to `out`; no allocation beyond `out`'s growth.
void AppendEncodedText(absl::string_view bytes, std::string* out);

// Stored text -> kernel bytes. nullopt where `text` is not what EncodeText writes: a backslash
// followed by neither a backslash nor xHH (two lower-case hex digits).
std::optional<std::string> DecodeText(absl::string_view text);

// Stored text -> what may be sent to a terminal: C0 (tab and newline included), DEL, C1
// (U+0080-009F), line and paragraph separators, bidirectional controls (U+061C, U+200E-200F,
// U+202A-202E, U+2066-2069), what else Unicode calls default ignorable, assigned or not (U+00AD,
// U+034F, U+115F-1160, U+17B4-17B5, U+180B-180F, U+200B-200D, U+2060-206F, U+3164, U+FE00-FE0F,
// U+FEFF, U+FFA0, U+FFF0-FFF8, U+1BCA0-1BCA3, U+1D173-1D17A, U+E0000-E0FFF) and U+FFF9-FFFB become
// \xHH for every byte of theirs. Bytes that are not valid UTF-8 are escaped too, so any input is
// safe. The result decodes (DecodeText) to the same kernel bytes as `text`.
std::string TerminalText(absl::string_view text);

// How many terminal cells `text` (the result of TerminalText) fills: combining marks 0, wide East
// Asian characters and emoji 2, everything else 1. Needs no locale.
size_t DisplayWidth(absl::string_view text);

// The longest prefix of `text` that fills at most `cells`, never cutting a character, an escape
// (\\ or \xHH) or a combining sequence; where something is cut the last cell is `ellipsis`
// ("…", or "+" for ASCII terminals).
std::string TruncateToWidth(absl::string_view text, size_t cells, absl::string_view ellipsis);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_TEXT_H_
