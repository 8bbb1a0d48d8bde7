#include "cmd/transcript.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace nsctl::cmd {
namespace {

// Splits a command line into words; a "|" that is not quoted is a word of its own.
class WordSplitter {
 public:
  explicit WordSplitter(absl::string_view line) : rest_(line) {}

  // False at the end. `quoted` says whether any part of the word was.
  bool Next(std::string* word, bool* quoted) {
    while (absl::StartsWith(rest_, " ")) rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    word->clear();
    *quoted = false;
    while (!rest_.empty() && rest_[0] != ' ') {
      if (absl::StartsWith(rest_, "$'")) {
        std::string bytes;
        absl::CUnescape(TakeQuoted(2), &bytes);
        *word += bytes;
        *quoted = true;
      } else if (rest_[0] == '\'') {
        absl::StrAppend(word, TakeQuoted(1));
        *quoted = true;
      } else {
        word->push_back(rest_[0]);
        rest_.remove_prefix(1);
      }
    }
    return true;
  }

 private:
  // What stands between an opening of `opening` bytes and the next quote.
  absl::string_view TakeQuoted(size_t opening) {
    const size_t end = rest_.find('\'', opening);
    const absl::string_view inside = rest_.substr(opening, end - opening);
    rest_.remove_prefix(end == absl::string_view::npos ? rest_.size() : end + 1);
    return inside;
  }

  absl::string_view rest_;
};

bool IsAssignment(const std::string& word) {
  const size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0 && word[0] != '-';
}

std::string Picture(absl::string_view line) {
  std::string out;
  for (const char c : line) {
    if (static_cast<unsigned char>(c) >= 0x20) {
      out.push_back(c);
    } else {
      // U+2400 and the character's number.
      out += "\xe2\x90";
      out.push_back(static_cast<char>(0x80 + c));
    }
  }
  return out;
}

void AppendLines(absl::string_view text, absl::string_view mark, std::string* out) {
  if (text.empty()) return;
  const bool ends_with_newline = absl::EndsWith(text, "\n");
  if (ends_with_newline) text.remove_suffix(1);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(out, mark, line.empty() ? "" : " ", Picture(line), "\n");
  }
  if (!ends_with_newline) absl::StrAppend(out, "\\\n");
}

bool IsResult(absl::string_view line) {
  return absl::StartsWith(line, "|") || absl::StartsWith(line, "!") ||
         absl::StartsWith(line, "?") || line == "\\";
}

}  // namespace

std::vector<TranscriptCommand> ParseCommandLine(absl::string_view line) {
  std::vector<TranscriptCommand> commands(1);
  WordSplitter words(line);
  std::string word;
  bool quoted = false;
  while (words.Next(&word, &quoted)) {
    TranscriptCommand& command = commands.back();
    if (word == "|" && !quoted) {
      commands.emplace_back();
    } else if (command.words.empty() && IsAssignment(word)) {
      const size_t equals = word.find('=');
      command.variables[word.substr(0, equals)] = word.substr(equals + 1);
    } else {
      command.words.push_back(word);
    }
  }
  return commands;
}

std::string Rerun(
    absl::string_view transcript,
    absl::FunctionRef<TranscriptResult(const TranscriptCommand&, const std::string&)> run) {
  std::string out;
  if (absl::EndsWith(transcript, "\n")) transcript.remove_suffix(1);
  for (const absl::string_view line : absl::StrSplit(transcript, '\n')) {
    if (IsResult(line)) continue;
    absl::StrAppend(&out, line, "\n");
    if (!absl::StartsWith(line, "$ ")) continue;
    TranscriptResult result;
    std::string err;
    for (const TranscriptCommand& command : ParseCommandLine(line.substr(2))) {
      result = run(command, result.out);
      err += result.err;
    }
    AppendLines(result.out, "|", &out);
    AppendLines(err, "!", &out);
    if (result.status != 0) absl::StrAppend(&out, "? ", result.status, "\n");
  }
  return out;
}

}  // namespace nsctl::cmd
