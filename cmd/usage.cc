#include "cmd/usage.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/text.h"
#include "cmd/nearest.h"

namespace nsctl::cmd {
namespace {

constexpr char kUsagePayload[] = "nsctl.usage";
constexpr size_t kQuotedCells = 80;

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kUsagePayload).has_value();
}

std::string QuotedArgument(absl::string_view argument) {
  const std::string text = base::TerminalText(base::EncodeText(argument));
  return absl::StrCat("\"", base::TruncateToWidth(text, kQuotedCells, "..."), "\"");
}

std::vector<std::string> SplitLists(const std::vector<std::string>& lists) {
  std::vector<std::string> words;
  for (const std::string& list : lists) {
    for (const absl::string_view word : absl::StrSplit(list, ',')) words.emplace_back(word);
  }
  return words;
}

absl::Status UnknownWord(absl::string_view what, absl::string_view word,
                         const std::vector<std::string>& candidates) {
  std::string message = absl::StrCat("unknown ", what, " ", QuotedArgument(word));
  if (const std::optional<std::string> nearest = NearestWord(word, candidates)) {
    absl::StrAppend(&message, "; did you mean \"", *nearest, "\"?");
  }
  return UsageError(message);
}

}  // namespace nsctl::cmd
