// Checks that the text in protobuf messages from strangers is stored text (see base/text.h), before
// anything prints it or hands it to protobuf.
//
// Protobuf's parser and serialiser write a line to stderr for every string that is not UTF-8. A
// library never prints, and silencing protobuf is a global switch, so nothing that is not UTF-8 may
// reach it.

#ifndef NSCTL_NSDISC_MESSAGE_TEXT_H_
#define NSCTL_NSDISC_MESSAGE_TEXT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace nsctl::nsdisc {

// True where `text` is UTF-8 and every backslash in it begins an escape of stored text.
bool IsStoredText(absl::string_view text);

// Walks `bytes`, a serialised message of the type `schema`, without parsing it: its framing is
// whole and every string field that the schema knows is stored text. Fields that it does not know
// are passed over. INVALID_ARGUMENT, naming the field or the byte: "cut short at byte 12", where a
// field ends after the bytes do; "malformed at byte 12"; "field nsctl.nsdisc.Process.name is not
// text". A message that passes may still be refused by the parser.
absl::Status CheckSerializedText(absl::string_view bytes,
                                 const google::protobuf::Descriptor& schema);

// The same for a message in memory.
absl::Status CheckText(const google::protobuf::Message& message);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_MESSAGE_TEXT_H_
