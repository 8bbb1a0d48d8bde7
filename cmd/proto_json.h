// The proto3 JSON form of a message, with the schema's field names, written without a copy.

#ifndef NSCTL_CMD_PROTO_JSON_H_
#define NSCTL_CMD_PROTO_JSON_H_

#include "cmd/json_writer.h"
#include "google/protobuf/message.h"

namespace nsctl::cmd {

// What google::protobuf::util::MessageToJsonString gives with preserve_proto_field_names: fields in
// the order of their numbers, absent and zero ones left out, 64-bit integers as strings. That
// function would first make a binary copy of the message and then the whole text. For this
// project's schemas, which have no maps, no groups, no bytes, no floating point and no well-known
// types but Timestamp.
void WriteProtoJson(const google::protobuf::Message& message, JsonWriter* json);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PROTO_JSON_H_
