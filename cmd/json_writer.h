// Writes JSON piece by piece, so that a large result never stands in memory a second time.
//
//   JsonWriter json(out, 2);
//   json.BeginObject();
//   json.Key("pid");
//   json.Number(1);
//   json.EndObject();

#ifndef NSCTL_CMD_JSON_WRITER_H_
#define NSCTL_CMD_JSON_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// Appends `text` to `out` as a JSON string. What is not valid UTF-8 becomes U+FFFD, byte by byte;
// characters that could drive a terminal (base::TerminalText) are written \uXXXX.
void AppendJsonString(absl::string_view text, std::string* out);

// Puts the commas, the line breaks and the indentation. The caller's calls must make a well-formed
// value: that is not checked. Writes no newline at the end.
class JsonWriter {
 public:
  static constexpr int kCompact = 0;

  // `indent`: blanks per level; kCompact puts all on one line. `out` must outlive this object.
  JsonWriter(Writer* out, int indent) : out_(out), indent_(indent) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }

  // Before each value within an object.
  void Key(absl::string_view name);

  void String(absl::string_view text);
  void Number(int64_t number);
  void Number(uint64_t number);
  void Bool(bool value);

 private:
  void Begin(char bracket);
  void End(char bracket);
  void BeforeValue();
  void BreakLine();
  void Put(absl::string_view text) { out_->Append(text); }

  Writer* out_;
  int indent_;
  // How many values stand in each object or array that is open.
  std::vector<size_t> counts_;
  bool after_key_ = false;
  // Reused from string to string.
  std::string scratch_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_JSON_WRITER_H_
