#include "mounttree/mountinfo.h"

#include <charconv>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::mounttree {
namespace {

constexpr size_t kMaxShownBytes = 120;

// Takes the text before the first blank off `line`; false where there is no blank.
bool TakeField(absl::string_view* line, absl::string_view* field) {
  const void* blank = memchr(line->data(), ' ', line->size());
  if (blank == nullptr) return false;
  const size_t size = static_cast<const char*>(blank) - line->data();
  *field = line->substr(0, size);
  line->remove_prefix(size + 1);
  return true;
}

bool ParseNumber(absl::string_view text, uint32_t* value) {
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && parsed == end && !text.empty();
}

// Splits the words up to the lone hyphen off `line`. There may be none.
bool TakeTags(absl::string_view* line, absl::string_view* tags) {
  const char* const begin = line->data();
  absl::string_view word;
  while (TakeField(line, &word)) {
    if (word == "-") {
      const size_t size = word.data() - begin;
      *tags = absl::string_view(begin, size == 0 ? 0 : size - 1);
      return true;
    }
  }
  return false;
}

// Parses one line; returns the name of the first malformed field, nullptr if there is none.
const char* ParseLine(absl::string_view line, MountinfoRow* row) {
  absl::string_view field;
  if (!TakeField(&line, &field) || !ParseNumber(field, &row->mount_id)) return "mount id";
  if (!TakeField(&line, &field) || !ParseNumber(field, &row->parent_id)) return "parent id";
  if (!TakeField(&line, &field) ||
      !ParseDeviceNumber(field, &row->device_major, &row->device_minor)) {
    return "device";
  }
  if (!TakeField(&line, &row->root)) return "root";
  if (!TakeField(&line, &row->mount_point)) return "mount point";
  if (!TakeField(&line, &row->mount_options)) return "mount options";
  if (!TakeTags(&line, &row->tags)) return "separator";
  if (!TakeField(&line, &row->file_system)) return "file system";
  if (!TakeField(&line, &row->source)) return "source";
  row->super_options = line;
  return nullptr;
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

absl::Status ForEachMount(absl::string_view text,
                          absl::FunctionRef<void(const MountinfoRow&)> visit) {
  for (size_t number = 1; !text.empty(); ++number) {
    const void* newline = memchr(text.data(), '\n', text.size());
    const size_t size =
        newline == nullptr ? text.size() : static_cast<const char*>(newline) - text.data();
    const absl::string_view line = text.substr(0, size);
    MountinfoRow row;
    if (const char* fault = ParseLine(line, &row)) {
      return absl::InvalidArgumentError(
          absl::StrCat("mountinfo line ", number, ": bad ", fault, ": \"",
                       base::TerminalText(base::EncodeText(line.substr(0, kMaxShownBytes))), "\""));
    }
    visit(row);
    text.remove_prefix(newline == nullptr ? size : size + 1);
  }
  return absl::OkStatus();
}

bool ParseDeviceNumber(absl::string_view text, uint32_t* device_major, uint32_t* device_minor) {
  const size_t colon = text.find(':');
  return colon != absl::string_view::npos && ParseNumber(text.substr(0, colon), device_major) &&
         ParseNumber(text.substr(colon + 1), device_minor);
}

std::string DecodeMountText(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' &&
                        IsOctal(text[i + 1]) && IsOctal(text[i + 2]) && IsOctal(text[i + 3]);
    if (!escape) {
      bytes.push_back(text[i]);
      continue;
    }
    bytes.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
    i += 3;
  }
  return bytes;
}

}  // namespace nsctl::mounttree
