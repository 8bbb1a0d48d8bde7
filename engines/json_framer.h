// Finds where JSON values begin and end in bytes that arrive in pieces, so that each is parsed on
// its own and a list of any length needs the memory of one element.
//
// Nothing is parsed: braces, brackets and quotes are counted. What is not JSON comes out as a piece
// that ParseJson refuses.

#ifndef NSCTL_ENGINES_JSON_FRAMER_H_
#define NSCTL_ENGINES_JSON_FRAMER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines {

class JsonFramer {
 public:
  enum class Shape {
    // One value after another, apart by white space, newlines or record separators (RFC 7464): a
    // stream of events. A line that is cut and followed by another one is a piece of its own.
    kSequence,
    // One array, whose elements are wanted, or null, which has none.
    kArray,
  };

  JsonFramer(Shape shape, size_t max_value_bytes)
      : shape_(shape), max_value_bytes_(max_value_bytes) {}

  // Calls `visit` for each value that is complete, in order; the text is valid during the call.
  //
  // Errors: RESOURCE_EXHAUSTED where a value is longer than allowed, INVALID_ARGUMENT where an
  // array is not well formed around its elements; those of `visit`. Nothing is fed after an error.
  absl::Status Feed(absl::string_view bytes,
                    absl::FunctionRef<absl::Status(absl::string_view)> visit);

  // The bytes ended. A sequence's last value may lack its newline. INVALID_ARGUMENT where a value
  // or the array was cut.
  absl::Status Finish(absl::FunctionRef<absl::Status(absl::string_view)> visit);

 private:
  enum class Place : uint8_t { kBefore, kElement, kNext, kAfter };

  using Visit = absl::FunctionRef<absl::Status(absl::string_view)>;

  absl::Status Take(char byte, Visit visit);
  absl::Status TakeOutside(char byte, Visit visit);
  absl::Status TakeInside(char byte, Visit visit);
  absl::Status TakeOfArray(char byte);
  absl::Status Begin(char byte);
  absl::Status Append(char byte);
  absl::Status Emit(Visit visit);

  Shape shape_;
  size_t max_value_bytes_;
  // The value that has begun; empty between values.
  std::string value_;
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  // A newline came since the last significant byte of the value.
  bool line_ended_ = false;
  char last_significant_ = 0;
  // Of arrays: what is expected.
  Place place_ = Place::kBefore;
  bool in_array_ = false;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_JSON_FRAMER_H_
