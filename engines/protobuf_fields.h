// Reads one field of a serialized message, element by element.
//
// A few bytes of a list can stand for a message that takes a hundred in memory, so the lists of
// strangers are never parsed as a whole, and their elements have a limit.

#ifndef NSCTL_ENGINES_PROTOBUF_FIELDS_H_
#define NSCTL_ENGINES_PROTOBUF_FIELDS_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines {

// Calls `visit` with the bytes of each element of the repeated field `number`, which holds messages
// or bytes, in order; its error ends the visit. Other fields are passed over. Errors: DATA_LOSS
// where `message` is none.
absl::Status VisitField(absl::string_view message, int number,
                        absl::FunctionRef<absl::Status(absl::string_view)> visit);

inline constexpr size_t kMaxParsed = 4 << 20;

// Parses `bytes` as `message`, a protobuf message of any kind. Errors: DATA_LOSS;
// RESOURCE_EXHAUSTED where it is longer than kMaxParsed.
template <typename Message>
absl::Status ParseMessage(absl::string_view bytes, Message* message) {
  if (bytes.size() > kMaxParsed) return absl::ResourceExhaustedError("a message too long");
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return absl::DataLossError("a message that does not parse");
}

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PROTOBUF_FIELDS_H_
