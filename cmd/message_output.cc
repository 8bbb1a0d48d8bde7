#include "cmd/message_output.h"

#include <climits>
#include <cstddef>
#include <cstdint>

#include "cmd/json_writer.h"
#include "cmd/proto_json.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"

namespace nsctl::cmd {
namespace {

using ::google::protobuf::Message;
using ::google::protobuf::io::CodedOutputStream;
using ::google::protobuf::io::CopyingOutputStreamAdaptor;

void WriteJson(const Message& message, int indent, Writer* out) {
  JsonWriter json(out, indent);
  WriteProtoJson(message, &json);
  out->Append("\n");
}

// Text format is printed in ASCII: protobuf then escapes all that could drive a terminal.
void WriteTextproto(const Message& message, Writer* out) {
  WriterSink sink(out);
  CopyingOutputStreamAdaptor stream(&sink);
  google::protobuf::TextFormat::Print(message, &stream);
}

// The size is counted once: of a large message that takes as long as writing it.
absl::Status WriteBinary(const Message& message, bool delimited, CopyingOutputStreamAdaptor* out) {
  const size_t size = message.ByteSizeLong();
  if (size > INT_MAX) {
    return absl::ResourceExhaustedError("the result is larger than 2 GiB; use -o jsonl");
  }
  CodedOutputStream coded(out);
  if (delimited) coded.WriteVarint32(static_cast<uint32_t>(size));
  message.SerializeWithCachedSizes(&coded);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteMessage(const Message& message,
                          absl::FunctionRef<void(RecordSink)> for_each_record, Format format,
                          Writer* out) {
  switch (format) {
    case Format::kJson:
      WriteJson(message, 2, out);
      return absl::OkStatus();
    case Format::kJsonl:
      for_each_record([&](const Message& record) {
        if (out->ok()) WriteJson(record, JsonWriter::kCompact, out);
      });
      return absl::OkStatus();
    case Format::kTextproto:
      WriteTextproto(message, out);
      return absl::OkStatus();
    case Format::kPb: {
      WriterSink sink(out);
      CopyingOutputStreamAdaptor stream(&sink);
      return WriteBinary(message, false, &stream);
    }
    case Format::kDelimitedPb: {
      WriterSink sink(out);
      CopyingOutputStreamAdaptor stream(&sink);
      absl::Status status;
      for_each_record([&](const Message& record) {
        if (status.ok() && out->ok()) status = WriteBinary(record, true, &stream);
      });
      return status;
    }
    case Format::kTable:
    case Format::kLxkns:
    case Format::kDot:
      break;
  }
  return absl::InvalidArgumentError("not a format of protobuf messages");
}

}  // namespace nsctl::cmd
