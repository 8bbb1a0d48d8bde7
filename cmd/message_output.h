// Writes a result in the formats that every message has.

#ifndef NSCTL_CMD_MESSAGE_OUTPUT_H_
#define NSCTL_CMD_MESSAGE_OUTPUT_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "cmd/output_options.h"
#include "cmd/writer.h"
#include "google/protobuf/message.h"

namespace nsctl::cmd {

// Takes one record of a result.
using RecordSink = absl::FunctionRef<void(const google::protobuf::Message&)>;

// Writes `message` as json, textproto or pb, and for jsonl and delimited pb what `for_each_record`
// hands to its sink. json is indented and ends with a newline. Other formats are the command's own:
// INVALID_ARGUMENT. A failure of `out` is not reported here but stays in it. Errors:
// RESOURCE_EXHAUSTED where a message is larger than protobuf can write (2 GiB).
absl::Status WriteMessage(const google::protobuf::Message& message,
                          absl::FunctionRef<void(RecordSink)> for_each_record, Format format,
                          Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MESSAGE_OUTPUT_H_
