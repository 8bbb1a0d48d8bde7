// Finds the elements of a list that is a member of a document, in bytes that arrive in pieces:
// {"type": "sync", "metadata": [...]}. As json_framer.h does for a list on its own: a list of any
// length needs the memory of one element, and nothing is parsed.

#ifndef NSCTL_ENGINES_JSON_LIST_MEMBER_H_
#define NSCTL_ENGINES_JSON_LIST_MEMBER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engines/json_framer.h"

namespace nsctl::engines {

class JsonListMember {
 public:
  using Visit = absl::FunctionRef<absl::Status(absl::string_view)>;

  // `name` is compared as it is written, without escapes; the first member of that name counts.
  JsonListMember(absl::string_view name, size_t max_value_bytes)
      : name_(name), framer_(JsonFramer::Shape::kArray, max_value_bytes) {}

  // Calls `visit` for each element that is complete, in order; the text is valid during the call.
  //
  // Errors: those of JsonFramer for an array; INVALID_ARGUMENT where the document is no object;
  // those of `visit`. Nothing is fed after an error.
  absl::Status Feed(absl::string_view bytes, Visit visit);

  // The bytes ended. INVALID_ARGUMENT where the document was cut, or has no such member.
  absl::Status Finish() const;

 private:
  enum class Place : uint8_t { kBefore, kObject, kList, kAfter };

  absl::Status TakeOutside(char byte);
  // Whether `byte` is the list's; the one behind it is not.
  bool TakeOfList(char byte);
  // Follows strings and brackets.
  void Follow(char byte);

  std::string name_;
  JsonFramer framer_;
  Place place_ = Place::kBefore;
  bool found_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  // Of brackets that are open; in the list, those of the list.
  size_t depth_ = 0;
  // The last string of the document's own, as far as it may be the name.
  std::string key_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_JSON_LIST_MEMBER_H_
