#include "engines/json_member.h"

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
    while (!at_end() && next() != '"') at_ += next() == '\\' ? 2 : 1;
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

}  // namespace

absl::string_view FindMember(absl::string_view object, absl::string_view name) {
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
    const size_t start = reader.position();
    reader.SkipValue();
    if (reader.at_end()) return "";
    if (found == name) return object.substr(start, reader.position() - start);
  }
  return "";
}

Json ParseMember(absl::string_view object, std::initializer_list<absl::string_view> path) {
  for (const absl::string_view name : path) object = FindMember(object, name);
  if (object.empty()) return Json();
  absl::StatusOr<Json> json = ParseJson(object);
  return json.ok() ? *std::move(json) : Json();
}

}  // namespace nsctl::engines
