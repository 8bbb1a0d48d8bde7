#include "nsdisc/snapshot_io.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "nsdisc/message_text.h"
#include "nsdisc/snapshot_json.h"

namespace nsctl::nsdisc {
namespace {

constexpr int kMaxTextNesting = 100;
constexpr size_t kMaxQuoted = 120;

enum class Encoding { kBinary, kDelimited, kJson, kText };

// Does `bytes` start as a serialised Snapshot does, whichever version its format is: field 1, its
// length, "nsctl.snapshot."?
bool StartsAsBinary(absl::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\n' &&
         absl::StartsWith(bytes.substr(2), "nsctl.snapshot.");
}

bool StartsAsText(absl::string_view bytes) {
  bytes = absl::StripLeadingAsciiWhitespace(bytes);
  while (absl::StartsWith(bytes, "#")) {
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size()));
    bytes = absl::StripLeadingAsciiWhitespace(bytes);
  }
  return absl::StartsWith(bytes, "format");
}

// Takes the length of a record; nullopt where there is none.
std::optional<uint32_t> TakeLength(absl::string_view* bytes) {
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(bytes->data()),
      static_cast<int>(std::min<size_t>(bytes->size(), 10)));
  uint32_t length = 0;
  if (!input.ReadVarint32(&length)) return std::nullopt;
  bytes->remove_prefix(static_cast<size_t>(input.CurrentPosition()));
  return length;
}

std::optional<Encoding> Recognise(absl::string_view bytes) {
  if (StartsAsBinary(bytes)) return Encoding::kBinary;
  if (absl::string_view rest = bytes; TakeLength(&rest).has_value() && StartsAsBinary(rest)) {
    return Encoding::kDelimited;
  }
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(bytes), "{")) return Encoding::kJson;
  if (StartsAsText(bytes)) return Encoding::kText;
  return std::nullopt;
}

absl::Status MergeBinary(absl::string_view bytes, Snapshot* snapshot) {
  NSCTL_RETURN_IF_ERROR(CheckSerializedText(bytes, *Snapshot::descriptor()));
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  if (!snapshot->MergeFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    return absl::InvalidArgumentError("malformed");
  }
  return absl::OkStatus();
}

absl::Status MergeDelimited(absl::string_view bytes, Snapshot* snapshot) {
  for (size_t record = 1; !bytes.empty(); ++record) {
    const std::optional<uint32_t> length = TakeLength(&bytes);
    if (!length.has_value() || *length > bytes.size()) {
      return absl::InvalidArgumentError(absl::StrCat("cut short in record ", record));
    }
    NSCTL_RETURN_IF_ERROR(base::Annotate(MergeBinary(bytes.substr(0, *length), snapshot),
                                         absl::StrCat("record ", record)));
    bytes.remove_prefix(*length);
  }
  return absl::OkStatus();
}

// Keeps the first error. Without a collector protobuf prints.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber, const std::string& message) override {
    if (!message_.empty()) return;
    message_ = absl::StrCat("line ", line + 1, ": not the textproto of a snapshot: ",
                            base::TerminalText(absl::string_view(message).substr(0, kMaxQuoted)));
  }
  // Of fields that are not known.
  void AddWarning(int, google::protobuf::io::ColumnNumber, const std::string&) override {}

  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

absl::Status MergeText(absl::string_view bytes, Snapshot* snapshot) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(kMaxTextNesting);
  google::protobuf::io::ArrayInputStream input(bytes.data(), static_cast<int>(bytes.size()));
  if (!parser.Merge(&input, snapshot)) return absl::InvalidArgumentError(error.message());
  return CheckText(*snapshot);
}

// `owned` is what `bytes` points into where that is this function's to free, else nullptr.
absl::Status Merge(absl::string_view bytes, std::string* owned, Snapshot* snapshot) {
  if (bytes.empty()) return absl::InvalidArgumentError("empty, not a snapshot");
  if (bytes.size() > kMaxSnapshotBytes) return absl::InvalidArgumentError("larger than 2 GiB");
  const std::optional<Encoding> encoding = Recognise(bytes);
  if (!encoding.has_value()) return absl::InvalidArgumentError("not a snapshot");
  switch (*encoding) {
    case Encoding::kBinary:
      return MergeBinary(bytes, snapshot);
    case Encoding::kDelimited:
      return MergeDelimited(bytes, snapshot);
    case Encoding::kText:
      return MergeText(bytes, snapshot);
    case Encoding::kJson:
      break;
  }
  NSCTL_ASSIGN_OR_RETURN(const std::string binary, SnapshotJsonToBinary(bytes));
  if (owned != nullptr) *owned = std::string();
  return MergeBinary(binary, snapshot);
}

absl::StatusOr<std::unique_ptr<Snapshot>> Parse(absl::string_view bytes, std::string* owned,
                                                absl::string_view name) {
  auto snapshot = std::make_unique<Snapshot>();
  absl::Status status = Merge(bytes, owned, snapshot.get());
  if (status.ok()) status = CheckSnapshot(*snapshot);
  if (status.ok()) return snapshot;
  return base::Annotate(status, base::TerminalText(name));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Snapshot>> ParseSnapshot(absl::string_view bytes,
                                                        absl::string_view name) {
  return Parse(bytes, nullptr, name);
}

absl::StatusOr<std::unique_ptr<Snapshot>> ReadSnapshot(base::FdRef fd) {
  std::string bytes;
  NSCTL_RETURN_IF_ERROR(base::ReadToEnd(fd, kMaxSnapshotBytes, &bytes));
  return Parse(bytes, &bytes, fd.path());
}

}  // namespace nsctl::nsdisc
