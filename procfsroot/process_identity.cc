#include "procfsroot/process_identity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/text.h"

namespace nsctl::procfsroot {
namespace {

constexpr size_t kMaxShown = 120;

absl::Status Malformed(absl::string_view line) {
  return absl::InvalidArgumentError(absl::StrCat(
      "malformed line \"", base::TerminalText(base::EncodeText(line.substr(0, kMaxShown))), "\""));
}

template <typename Number>
bool ParseNumber(absl::string_view text, int radix, Number* number) {
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, *number, radix);
  return error == std::errc() && parsed == end && !text.empty();
}

std::vector<absl::string_view> Words(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
}

// "Uid:" and "Gid:" list real, effective, saved and file system id.
bool ParseEffective(absl::string_view value, uint32_t* id) {
  const std::vector<absl::string_view> words = Words(value);
  return words.size() == 4 && ParseNumber(words[1], 10, id);
}

bool ParseGroups(absl::string_view value, std::vector<gid_t>* groups) {
  for (const absl::string_view word : Words(value)) {
    if (!ParseNumber(word, 10, &groups->emplace_back())) return false;
  }
  return true;
}

struct CapabilityLine {
  absl::string_view key;
  uint64_t ProcessIdentity::*set;
};
constexpr CapabilityLine kCapabilityLines[] = {
    {"CapInh", &ProcessIdentity::inheritable}, {"CapPrm", &ProcessIdentity::permitted},
    {"CapEff", &ProcessIdentity::effective},   {"CapBnd", &ProcessIdentity::bounding},
    {"CapAmb", &ProcessIdentity::ambient},
};

// True where the line is one of those that are wanted; `good` then says whether it could be read.
bool TakeLine(absl::string_view key, absl::string_view value, ProcessIdentity* identity,
              bool* good) {
  *good = true;
  if (key == "Uid") {
    *good = ParseEffective(value, &identity->effective_uid);
  } else if (key == "Gid") {
    *good = ParseEffective(value, &identity->effective_gid);
  } else if (key == "Groups") {
    *good = ParseGroups(value, &identity->groups);
  } else {
    const auto* const line =
        std::find_if(std::begin(kCapabilityLines), std::end(kCapabilityLines),
                     [&](const CapabilityLine& known) { return known.key == key; });
    if (line == std::end(kCapabilityLines)) return false;
    const std::vector<absl::string_view> words = Words(value);
    *good = words.size() == 1 && ParseNumber(words[0], 16, &(identity->*line->set));
  }
  return true;
}

}  // namespace

absl::StatusOr<ProcessIdentity> ParseProcessIdentity(absl::string_view status) {
  constexpr size_t kWanted = 3 + std::size(kCapabilityLines);
  ProcessIdentity identity;
  size_t found = 0;
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const absl::string_view key = line.substr(0, colon);
    const absl::string_view value = line.substr(colon + 1);
    bool good = false;
    if (key == "Seccomp") {
      const std::vector<absl::string_view> words = Words(value);
      if (words.size() != 1 || !ParseNumber(words[0], 10, &identity.seccomp_mode)) {
        return Malformed(line);
      }
    } else if (TakeLine(key, value, &identity, &good)) {
      if (!good) return Malformed(line);
      ++found;
    }
  }
  if (found != kWanted) return absl::InvalidArgumentError("lines are missing");
  return identity;
}

absl::StatusOr<std::optional<uint32_t>> MapIdInside(absl::string_view map, uint32_t outside) {
  for (const absl::string_view line : absl::StrSplit(map, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = Words(line);
    std::array<uint32_t, 3> numbers = {};
    if (words.size() != numbers.size()) return Malformed(line);
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!ParseNumber(words[i], 10, &numbers[i])) return Malformed(line);
    }
    const auto [first_inside, first_outside, count] = numbers;
    if (outside >= first_outside && outside - first_outside < count) {
      return first_inside + (outside - first_outside);
    }
  }
  return std::nullopt;
}

}  // namespace nsctl::procfsroot
