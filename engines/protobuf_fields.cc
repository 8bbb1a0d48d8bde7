#include "engines/protobuf_fields.h"

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace nsctl::engines {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

absl::Status DoesNotParse() { return absl::DataLossError("a list that does not parse"); }

}  // namespace

absl::Status VisitField(absl::string_view message, int number,
                        absl::FunctionRef<absl::Status(absl::string_view)> visit) {
  const uint32_t wanted =
      WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  CodedInputStream input(reinterpret_cast<const uint8_t*>(message.data()),
                         static_cast<int>(message.size()));
  while (const uint32_t tag = input.ReadTag()) {
    if (tag != wanted) {
      if (!WireFormatLite::SkipField(&input, tag)) return DoesNotParse();
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return DoesNotParse();
    const auto start = static_cast<size_t>(input.CurrentPosition());
    if (size > message.size() - start || !input.Skip(static_cast<int>(size))) {
      return DoesNotParse();
    }
    NSCTL_RETURN_IF_ERROR(visit(message.substr(start, size)));
  }
  return input.ConsumedEntireMessage() ? absl::OkStatus() : DoesNotParse();
}

}  // namespace nsctl::engines
