// Graphs in the language of Graphviz (graphviz.org/doc/info/lang.html).

#ifndef NSCTL_CMD_DOT_H_
#define NSCTL_CMD_DOT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// `line` of stored text (base/text.h) as a quoted string. It cannot break out of that: quotes and
// backslashes are escaped, and "&" with which Graphviz begins a character's name; what would drive
// a terminal is as harmless as base::TerminalText makes it.
std::string DotString(absl::string_view line);
// The same for `lines` of a label, one below the other.
std::string DotLabel(absl::Span<const std::string> lines);

// Writes one directed graph, of what is given in that order. Nothing is remembered: a node that is
// added twice is written twice.
class DotGraph {
 public:
  // `name`: of the graph. `out` must outlive the graph.
  DotGraph(absl::string_view name, Writer* out);

  // `id` is any text. `attributes` are Graphviz's own ("shape=box"); empty for none.
  void AddNode(absl::string_view id, absl::Span<const std::string> label,
               absl::string_view attributes);
  // An empty `label` is none.
  void AddEdge(absl::string_view from, absl::string_view to, absl::string_view label);

  // Nothing may follow.
  void End();

 private:
  Writer* out_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DOT_H_
