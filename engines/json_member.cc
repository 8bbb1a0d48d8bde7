#include "engines/json_member.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

// Reads along a text; at its end nothing moves.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  char next() const { return at_end() ? '\0' : text_[at_]; }
  size_t position() const { return at_; }
  void Skip() { ++at_; }

  void SkipSpace() {
    while (next() == ' ' || next() == '\n' || next() == '\t' || next() == '\r') Skip();
  }

  // Of a string, at whose first quote it is, what is between the quotes.
  absl::string_view TakeString() {
    Skip();
    const size_t start = at_;
    // To the first quote that no backslash, itself not behind one, stands before.
    while (true) {
      at_ = std::min(text_.find('"', at_), text_.size());
      size_t escapes = 0;
      while (at_ - escapes > start && text_[at_ - escapes - 1] == '\\') ++escapes;
      if (escapes % 2 == 0 || at_end()) break;
      Skip();
    }
    const absl::string_view text = text_.substr(start < text_.size() ? start : text_.size(),
                                                at_ < text_.size() ? at_ - start : 0);
    Skip();
    return text;
  }

  // To the comma, or the bracket, that ends the value.
  void SkipValue() {
    size_t depth = 0;
    while (!at_end()) {
      const char c = next();
      if (c == '"') {
        TakeString();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      Skip();
    }
  }

 private:
  const absl::string_view text_;
  size_t at_ = 0;
};

// The text from the value of the first member `name` on, to the end of all; empty where there is
// none.
absl::string_view FromMember(absl::string_view object, absl::string_view name) {
  Reader reader(object);
  reader.SkipSpace();
  // Before the first member there is a bracket, before each other one a comma.
  for (char before = '{'; reader.next() == before; before = ',') {
    reader.Skip();
    reader.SkipSpace();
    if (reader.next() != '"') return "";
    const absl::string_view found = reader.TakeString();
    reader.SkipSpace();
    if (reader.next() != ':') return "";
    reader.Skip();
    if (found == name) return object.substr(reader.position());
    reader.SkipValue();
  }
  return "";
}

// The value that `text` begins with; empty where it has no end.
absl::string_view ValueOf(absl::string_view text) {
  Reader reader(text);
  reader.SkipValue();
  return reader.at_end() ? "" : text.substr(0, reader.position());
}

}  // namespace

absl::string_view FindMember(absl::string_view object, absl::string_view name) {
  return ValueOf(FromMember(object, name));
}

Json ParseMember(absl::string_view object, std::initializer_list<absl::string_view> path) {
  // Passed over once: where an object ends that has a member does not matter.
  for (const absl::string_view name : path) object = FromMember(object, name);
  object = ValueOf(object);
  if (object.empty()) return Json();
  absl::StatusOr<Json> json = ParseJson(object);
  return json.ok() ? *std::move(json) : Json();
}

}  // namespace nsctl::engines
