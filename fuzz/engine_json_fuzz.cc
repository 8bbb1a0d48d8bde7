#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/json_framer.h"
#include "engines/json_list_member.h"
#include "engines/json_member.h"
#include "engines/json_text.h"

namespace {

using nsctl::engines::Json;
using nsctl::engines::JsonFramer;
using nsctl::engines::JsonListMember;
using nsctl::engines::ParseJson;

struct Framed {
  absl::Status status;
  std::vector<std::string> values;
};

Framed Frame(JsonFramer::Shape shape, absl::string_view text, size_t step) {
  Framed framed;
  const auto visit = [&framed](absl::string_view value) {
    framed.values.emplace_back(value);
    return absl::OkStatus();
  };
  JsonFramer framer(shape, 1 << 16);
  while (framed.status.ok() && !text.empty()) {
    framed.status = framer.Feed(text.substr(0, step), visit);
    text.remove_prefix(step < text.size() ? step : text.size());
  }
  if (framed.status.ok()) framed.status = framer.Finish(visit);
  return framed;
}

void CheckText(const Json& value) {
  if (value.is_string() && !nsctl::base::DecodeText(nsctl::engines::TextOf(value))) std::abort();
  if (!value.is_structured()) return;
  for (const auto& [name, member] : value.items()) {
    if (!nsctl::base::DecodeText(name)) std::abort();
    CheckText(member);
  }
}

Framed FrameMember(absl::string_view text, size_t step) {
  Framed framed;
  const auto visit = [&framed](absl::string_view value) {
    framed.values.emplace_back(value);
    return absl::OkStatus();
  };
  JsonListMember list("metadata", 1 << 16);
  while (framed.status.ok() && !text.empty()) {
    framed.status = list.Feed(text.substr(0, step), visit);
    text.remove_prefix(step < text.size() ? step : text.size());
  }
  if (framed.status.ok()) framed.status = list.Finish();
  return framed;
}

// Of a document, the list behind "metadata" has the elements of that list.
void CheckListMember(absl::string_view text, const Json& object) {
  const Framed framed = FrameMember(text, text.size() + 1);
  const size_t at = text.find("\"metadata\"");
  const auto found = object.find("metadata");
  if (found == object.end() || !found->is_array() || absl::StrContains(text, "\\") ||
      text.find("\"metadata\"", at + 1) != absl::string_view::npos) {
    return;
  }
  if (!framed.status.ok() || framed.values.size() != found->size()) std::abort();
  for (size_t i = 0; i < framed.values.size(); ++i) {
    const auto element = ParseJson(framed.values[i]);
    if (!element.ok() || *element != (*found)[i]) std::abort();
  }
}

// A member that is there once is found without the document.
void CheckMembers(absl::string_view text, const Json& object) {
  for (const auto& [name, member] : object.items()) {
    const std::string quoted = absl::StrCat("\"", name, "\"");
    const size_t at = text.find(quoted);
    if (absl::StrContains(text, "\\") || at == absl::string_view::npos ||
        text.find(quoted, at + 1) != absl::string_view::npos) {
      continue;
    }
    if (nsctl::engines::ParseMember(text, {name}) != member) std::abort();
  }
}

}  // namespace

// Strings are stored text; members are found without the document; the elements found in an array
// are those that the parser finds; a value on its own is found whole; and how bytes are cut makes
// no difference.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto shape : {JsonFramer::Shape::kArray, JsonFramer::Shape::kSequence}) {
    const Framed whole = Frame(shape, text, size + 1);
    const Framed pieces = Frame(shape, text, 1);
    if (whole.status != pieces.status || whole.values != pieces.values) std::abort();
  }
  const Framed whole_list = FrameMember(text, size + 1);
  const Framed list_pieces = FrameMember(text, 1);
  if (whole_list.status != list_pieces.status || whole_list.values != list_pieces.values) {
    std::abort();
  }
  const auto json = ParseJson(text);
  if (!json.ok()) return 0;
  CheckText(*json);
  if (json->is_object()) {
    CheckMembers(text, *json);
    CheckListMember(text, *json);
  }
  if (!json->is_array()) return 0;
  const Framed framed = Frame(JsonFramer::Shape::kArray, text, 3);
  if (!framed.status.ok() || framed.values.size() != json->size()) std::abort();
  for (size_t i = 0; i < framed.values.size(); ++i) {
    const auto element = ParseJson(framed.values[i]);
    if (!element.ok() || *element != (*json)[i]) std::abort();
  }
  return 0;
}
