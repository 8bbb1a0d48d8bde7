#include "nsdisc/snapshot_json.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com";
constexpr size_t kMaxQuoted = 120;

absl::Status CutShort() { return absl::InvalidArgumentError("cut short within a JSON object"); }

// Takes the string whose opening quote was taken and its closing quote; nullopt where it has none.
std::optional<absl::string_view> TakeString(absl::string_view* text) {
  for (size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] == '\\') {
      ++i;
    } else if ((*text)[i] == '"') {
      const absl::string_view content = text->substr(0, i);
      text->remove_prefix(i + 1);
      return content;
    }
  }
  return std::nullopt;
}

void SkipSpace(absl::string_view* text, size_t* line) {
  const absl::string_view stripped = absl::StripLeadingAsciiWhitespace(*text);
  const absl::string_view space = text->substr(0, text->size() - stripped.size());
  *line += static_cast<size_t>(std::count(space.begin(), space.end(), '\n'));
  *text = stripped;
}

// Protobuf's message shows the text around the fault on lines of their own; the first line says
// what is wrong.
absl::Status NotJson(absl::string_view message) {
  message = message.substr(0, std::min({message.find('\n'), kMaxQuoted, message.size()}));
  return absl::InvalidArgumentError(
      absl::StrCat("not the JSON of a snapshot: ", base::TerminalText(message)));
}

class Transcoder {
 public:
  Transcoder()
      : resolver_(google::protobuf::util::NewTypeResolverForDescriptorPool(
            kTypeUrlPrefix, google::protobuf::DescriptorPool::generated_pool())),
        type_url_(absl::StrCat(kTypeUrlPrefix, "/", Snapshot::descriptor()->full_name())) {
    options_.ignore_unknown_fields = true;
  }

  absl::Status Append(absl::string_view json, std::string* binary) const {
    const auto status = google::protobuf::util::JsonToBinaryString(
        resolver_.get(), type_url_, {json.data(), json.size()}, binary, options_);
    if (status.ok()) return absl::OkStatus();
    return NotJson({status.message().data(), status.message().size()});
  }

 private:
  std::unique_ptr<google::protobuf::util::TypeResolver> resolver_;
  std::string type_url_;
  google::protobuf::util::JsonParseOptions options_;
};

}  // namespace

absl::StatusOr<JsonObject> TakeJsonObject(absl::string_view* rest, size_t* line) {
  SkipSpace(rest, line);
  if (rest->empty() || rest->front() != '{') {
    return absl::InvalidArgumentError(absl::StrCat("no JSON object on line ", *line));
  }
  JsonObject object;
  object.line = *line;
  absl::string_view left = *rest;
  size_t depth = 0;
  bool at_key = false;
  do {
    if (left.empty()) return CutShort();
    const char c = left.front();
    left.remove_prefix(1);
    if (c == '"') {
      const std::optional<absl::string_view> content = TakeString(&left);
      if (!content.has_value()) return CutShort();
      object.has_format |= at_key && *content == "format";
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == '\n') {
      ++*line;
    }
    if (!absl::ascii_isspace(static_cast<unsigned char>(c))) {
      at_key = depth == 1 && (c == '{' || c == ',');
    }
  } while (depth > 0);
  object.text = rest->substr(0, rest->size() - left.size());
  *rest = left;
  SkipSpace(rest, line);
  return object;
}

absl::StatusOr<std::string> SnapshotJsonToBinary(absl::string_view json) {
  const Transcoder transcoder;
  std::string binary;
  size_t line = 1;
  for (bool is_first = true; !json.empty(); is_first = false) {
    NSCTL_ASSIGN_OR_RETURN(const JsonObject object, TakeJsonObject(&json, &line));
    // Any tool's JSON gets here: what it is not is a better message than its first odd field.
    if (is_first && !object.has_format) {
      return absl::InvalidArgumentError("no snapshot: the JSON has no \"format\"");
    }
    const absl::Status status = transcoder.Append(object.text, &binary);
    if (!status.ok()) {
      const bool is_only = is_first && json.empty();
      return is_only ? status : base::Annotate(status, absl::StrCat("line ", object.line));
    }
  }
  return binary;
}

}  // namespace nsctl::nsdisc
