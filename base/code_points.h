// What a terminal does with a Unicode character, told without a locale.

#ifndef NSCTL_BASE_CODE_POINTS_H_
#define NSCTL_BASE_CODE_POINTS_H_

namespace nsctl::base {

// Controls, line separators, bidirectional controls and invisible characters: those that text.h
// lists at TerminalText.
bool IsTerminalHazard(char32_t code_point);

// Shown in the cell of the character before it: non-spacing and enclosing marks, format controls
// without a shape, conjoining Hangul vowels and finals.
bool IsZeroWidth(char32_t code_point);

// Fills two cells: East Asian Width W and F, which includes emoji shown as pictures by default.
bool IsWide(char32_t code_point);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_CODE_POINTS_H_
