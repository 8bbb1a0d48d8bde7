// UTF-8 one character at a time, strictly: what this accepts is exactly Unicode's table of
// well-formed byte sequences (no overlong forms, no surrogates, nothing above U+10FFFF).

#ifndef NSCTL_BASE_UTF8_H_
#define NSCTL_BASE_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace nsctl::base {

struct Utf8Character {
  char32_t code_point = 0;
  // Bytes that the character takes, 1 to 4; 0 where the text does not start with a whole
  // well-formed character.
  size_t length = 0;

  friend bool operator==(const Utf8Character&, const Utf8Character&) = default;
};

// The character at the start of `text`.
Utf8Character FirstUtf8Character(absl::string_view text);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_UTF8_H_
