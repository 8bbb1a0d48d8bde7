#include "cmd/output_options.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr char kGroup[] = "Output";

struct FormatRow {
  const char* name;
  Format format;
  const char* summary;
  // The commands that have it; nullptr: all.
  const char* only = nullptr;
};

constexpr FormatRow kFormats[] = {
    {"table", Format::kTable, "for people"},
    {"json", Format::kJson, "the result as one JSON object"},
    {"jsonl", Format::kJsonl, "one JSON object per line and record"},
    {"textproto", Format::kTextproto, "protobuf's text format"},
    {"pb", Format::kPb, "the binary protobuf message"},
    {"lxkns", Format::kLxkns, "the JSON that lxkns serves to its clients", "only snapshot has"},
    {"dot", Format::kDot, "a graph for Graphviz: nsctl ... -o dot | dot -Tsvg",
     "only tree and why have"},
};

}  // namespace

void OutputOptions::AddTo(CLI::App* app) {
  app->add_option("-o,--output", format_,
                  absl::StrCat("how to write the result; default: ", default_format_))
      ->type_name("FORMAT")
      ->take_last()
      ->group(kGroup);
  app->add_flag("--delimited", delimited_,
                "with -o pb: the records of jsonl, each after its length as a varint")
      ->group(kGroup);
}

std::vector<Choice> OutputOptions::ChoicesOf(absl::string_view placeholder) const {
  std::vector<Choice> choices;
  if (placeholder != "FORMAT") return choices;
  for (const FormatRow& row : kFormats) {
    if (row.only == nullptr || row.format == own_) choices.push_back({row.name, row.summary});
  }
  return choices;
}

absl::StatusOr<Format> OutputOptions::Resolve(const Environment& env) const {
  const FormatRow* found = nullptr;
  for (const FormatRow& row : kFormats) {
    if (format_ == row.name) found = &row;
  }
  if (found == nullptr) {
    // As util-linux's commands take them.
    if (absl::c_any_of(format_, [](char c) { return c == '+' || absl::ascii_isupper(c); })) {
      return UsageError(absl::StrCat("unknown output format ", QuotedArgument(format_),
                                     ": -o is for formats, columns are chosen by -c"));
    }
    std::vector<std::string> names;
    for (const Choice& choice : ChoicesOf("FORMAT")) names.push_back(choice.value);
    return UnknownWord("output format", format_, names);
  }
  if (found->only != nullptr && found->format != own_) {
    return UsageError(absl::StrCat(found->only, " the output format ", found->name));
  }
  if (found->format != Format::kPb) {
    if (delimited_) return UsageError("--delimited goes with -o pb only");
    return found->format;
  }
  if (env.out_is_terminal) {
    return UsageError("binary output would garble the terminal; redirect it, or use -o textproto");
  }
  return delimited_ ? Format::kDelimitedPb : Format::kPb;
}

}  // namespace nsctl::cmd
