#include "cmd/unasked_engines.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

// As engine_finder.cc calls it.
constexpr char kOperation[] = "find engines";

template <typename Gap>
std::string TextOf(const google::protobuf::RepeatedPtrField<Gap>& gaps) {
  const Gap* first = nullptr;
  int count = 0;
  for (const Gap& gap : gaps) {
    if (gap.operation() != kOperation) continue;
    if (first == nullptr) first = &gap;
    ++count;
  }
  if (first == nullptr) return "";
  return base::TerminalText(absl::StrCat(
      "; ", count, count == 1 ? " process that may be an engine" : " processes that may be engines",
      " could not be asked (", count == 1 ? "" : "first ", first->subject(), ": ", first->error(),
      ")"));
}

}  // namespace

std::string UnaskedText(const google::protobuf::RepeatedPtrField<engines::EngineGap>& gaps) {
  return TextOf(gaps);
}

std::string UnaskedText(const google::protobuf::RepeatedPtrField<nsdisc::Gap>& gaps) {
  return TextOf(gaps);
}

}  // namespace nsctl::cmd
