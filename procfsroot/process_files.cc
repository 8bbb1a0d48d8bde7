#include "procfsroot/process_files.h"

#include <string.h>

#include <charconv>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/text.h"

namespace nsctl::procfsroot {
namespace {

// include/linux/sched.h
constexpr uint32_t kKernelThreadFlag = 0x00200000;

// How much of a malformed line a message shows.
constexpr size_t kMaxShownBytes = 120;

template <typename T>
bool ParseNumber(absl::string_view text, T* value, int radix = 10) {
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, *value, radix);
  return error == std::errc() && parsed == end && !text.empty();
}

absl::Status Malformed(absl::string_view file, size_t line_number, absl::string_view field,
                       absl::string_view line) {
  return absl::InvalidArgumentError(
      absl::StrCat(file, " line ", line_number, ": bad ", field, ": \"",
                   base::TerminalText(base::EncodeText(line.substr(0, kMaxShownBytes))), "\""));
}

// Takes the first blank-separated word off `text`; empty at its end.
absl::string_view TakeWord(absl::string_view* text) {
  const char* begin = text->data();
  const char* const limit = begin + text->size();
  while (begin < limit && (*begin == ' ' || *begin == '\t')) ++begin;
  const char* end = begin;
  while (end < limit && *end != ' ' && *end != '\t' && *end != '\n') ++end;
  *text = absl::string_view(end, static_cast<size_t>(limit - end));
  return {begin, static_cast<size_t>(end - begin)};
}

// Takes the first line off `text`, without its newline.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = text->find('\n');
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(end == absl::string_view::npos ? text->size() : end + 1);
  return line;
}

// Assigns the numbered field of stat that `word` is; false where it is malformed.
bool SetStatField(int field, absl::string_view word, StatFields* fields) {
  switch (field) {
    case 3:
      fields->state = word[0];
      return word.size() == 1;
    case 4:
      return ParseNumber(word, &fields->parent.value);
    case 9: {
      uint32_t flags = 0;
      if (!ParseNumber(word, &flags)) return false;
      fields->kernel_thread = (flags & kKernelThreadFlag) != 0;
      return true;
    }
    case 19:
      return ParseNumber(word, &fields->nice);
    case 20:
      return ParseNumber(word, &fields->thread_count);
    case 22:
      return ParseNumber(word, &fields->start_time);
    case 40:
      return ParseNumber(word, &fields->realtime_priority);
    case 41:
      return ParseNumber(word, &fields->policy);
    default:
      return true;
  }
}

// "Uid:\t0\t0\t0\t0": real, effective, saved, filesystem.
bool ParseUids(absl::string_view rest, StatusFields* fields) {
  return ParseNumber(TakeWord(&rest), &fields->real_uid) &&
         ParseNumber(TakeWord(&rest), &fields->effective_uid);
}

constexpr size_t kCapabilityNameLength = sizeof("CapEff:") - 1;

// Where the set of that name goes; nullptr for any other name.
uint64_t* CapabilitySet(absl::string_view name, StatusFields* fields) {
  if (name == "CapInh:") return &fields->inheritable_capabilities;
  if (name == "CapPrm:") return &fields->permitted_capabilities;
  if (name == "CapEff:") return &fields->effective_capabilities;
  if (name == "CapBnd:") return &fields->bounding_capabilities;
  if (name == "CapAmb:") return &fields->ambient_capabilities;
  return nullptr;
}

}  // namespace

absl::StatusOr<StatFields> ParseStat(absl::string_view text) {
  constexpr int kFirstFieldAfterName = 3;
  constexpr int kLastNeededField = 22;
  constexpr int kLastField = 41;
  StatFields fields;
  const size_t open = text.find('(');
  // Many fields follow the name: memrchr(3) is faster than string_view::rfind.
  const auto* const last = static_cast<const char*>(
      open == absl::string_view::npos ? nullptr : memrchr(text.data(), ')', text.size()));
  const size_t close = last == nullptr ? 0 : static_cast<size_t>(last - text.data());
  if (last == nullptr || close < open) return Malformed("stat", 1, "field 2 (name)", text);
  absl::string_view number = text.substr(0, open);
  if (!ParseNumber(TakeWord(&number), &fields.pid.value)) {
    return Malformed("stat", 1, "field 1 (pid)", text);
  }
  fields.name = text.substr(open + 1, close - open - 1);
  absl::string_view rest = text.substr(close + 1);
  for (int field = kFirstFieldAfterName; field <= kLastField; ++field) {
    const absl::string_view word = TakeWord(&rest);
    if (word.empty()) {
      if (field > kLastNeededField) break;
      return Malformed("stat", 1, absl::StrCat("field ", field, " (missing)"), text);
    }
    if (!SetStatField(field, word, &fields)) {
      return Malformed("stat", 1, absl::StrCat("field ", field), text);
    }
  }
  return fields;
}

absl::StatusOr<StatusFields> ParseStatus(absl::string_view text) {
  StatusFields fields;
  bool has_uids = false;
  for (size_t number = 1; !text.empty(); ++number) {
    absl::string_view line = TakeLine(&text);
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "Uid:")) {
      if (!ParseUids(rest, &fields)) return Malformed("status", number, "Uid", line);
      has_uids = true;
    } else if (absl::ConsumePrefix(&rest, "NSpid:")) {
      fields.namespaced_pids = absl::StripLeadingAsciiWhitespace(rest);
    } else if (absl::StartsWith(rest, "Cap")) {
      const absl::string_view name = rest.substr(0, kCapabilityNameLength);
      uint64_t* const set = CapabilitySet(name, &fields);
      if (set == nullptr) continue;
      rest.remove_prefix(kCapabilityNameLength);
      if (!ParseNumber(TakeWord(&rest), set, 16)) {
        return Malformed("status", number, name.substr(0, name.size() - 1), line);
      }
    } else if (absl::ConsumePrefix(&rest, "NoNewPrivs:")) {
      fields.no_new_privileges = TakeWord(&rest) == "1";
    }
  }
  if (!has_uids) return absl::InvalidArgumentError("status: no Uid line");
  return fields;
}

bool ForEachNamespacedPid(absl::string_view list, absl::FunctionRef<void(base::Pid)> visit) {
  while (true) {
    const absl::string_view word = TakeWord(&list);
    if (word.empty()) return list.empty();
    base::Pid pid;
    if (!ParseNumber(word, &pid.value) || pid.value < 0) return false;
    visit(pid);
  }
}

absl::Status ParseCgroup(absl::string_view text, absl::FunctionRef<void(const CgroupLine&)> visit) {
  for (size_t number = 1; !text.empty(); ++number) {
    const absl::string_view line = TakeLine(&text);
    const size_t first = line.find(':');
    const size_t second = first == absl::string_view::npos ? first : line.find(':', first + 1);
    CgroupLine parsed;
    if (second == absl::string_view::npos ||
        !ParseNumber(line.substr(0, first), &parsed.hierarchy)) {
      return Malformed("cgroup", number, "line", line);
    }
    parsed.controllers = line.substr(first + 1, second - first - 1);
    parsed.path = line.substr(second + 1);
    visit(parsed);
  }
  return absl::OkStatus();
}

void ForEachArgument(absl::string_view text, absl::FunctionRef<void(absl::string_view)> visit) {
  while (!text.empty()) {
    const size_t end = text.find('\0');
    visit(text.substr(0, end));
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace nsctl::procfsroot
