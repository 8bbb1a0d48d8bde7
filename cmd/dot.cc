#include "cmd/dot.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/text.h"

namespace nsctl::cmd {

std::string DotLabel(absl::Span<const std::string> lines) {
  const auto append = [](std::string* out, const std::string& line) {
    absl::StrAppend(out, absl::StrReplaceAll(base::TerminalText(line),
                                             {{"\\", "\\\\"}, {"\"", "\\\""}, {"&", "&amp;"}}));
  };
  return absl::StrCat("\"", absl::StrJoin(lines, "\\n", append), "\"");
}

std::string DotString(absl::string_view line) { return DotLabel({std::string(line)}); }

DotGraph::DotGraph(absl::string_view name, Writer* out) : out_(out) {
  out_->Append(absl::StrCat("digraph ", DotString(name), " {\n  rankdir=LR;\n"));
  out_->Append("  node [fontname=\"sans-serif\"];\n");
}

void DotGraph::AddNode(absl::string_view id, absl::Span<const std::string> label,
                       absl::string_view attributes) {
  out_->Append(absl::StrCat("  ", DotString(id), " [label=", DotLabel(label),
                            attributes.empty() ? "" : ", ", attributes, "];\n"));
}

void DotGraph::AddEdge(absl::string_view from, absl::string_view to, absl::string_view label) {
  out_->Append(absl::StrCat("  ", DotString(from), " -> ", DotString(to)));
  if (!label.empty()) out_->Append(absl::StrCat(" [label=", DotString(label), "]"));
  out_->Append(";\n");
}

void DotGraph::End() { out_->Append("}\n"); }

}  // namespace nsctl::cmd
