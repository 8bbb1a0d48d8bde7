// Compares two messages of one type field by field, whatever fields they have.

#ifndef NSCTL_NSDISC_MESSAGE_DIFF_H_
#define NSCTL_NSDISC_MESSAGE_DIFF_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "nsdisc/diff.pb.h"

namespace nsctl::nsdisc {

// Every field in which `before` and `after` differ, in the schema's order, fields of messages by
// their path ("namespaces.net"). Lists are compared as the sets of their elements. `is_ignored`
// gets each path, those of messages before their fields.
std::vector<FieldChange> DiffMessages(const google::protobuf::Message& before,
                                      const google::protobuf::Message& after,
                                      absl::FunctionRef<bool(absl::string_view path)> is_ignored);

// `message` on one line: "pid=12 fd=3 target { x=1 }".
std::string MessageText(const google::protobuf::Message& message);

// The paths of all fields of messages of this type.
std::vector<std::string> FieldPaths(const google::protobuf::Descriptor& type);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_MESSAGE_DIFF_H_
