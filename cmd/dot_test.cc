#include "cmd/dot.h"

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(DotString, CannotBeBrokenOutOf) {
  struct Case {
    const char* name;
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"plain", "net:[4026531840]", R"("net:[4026531840]")"},
      {"quote", R"(a"] ; x [label=")", R"("a\"] ; x [label=\"")"},
      // Stored text: one backslash of the kernel's is two.
      {"backslash at the end", R"(a\\)", R"("a\\\\")"},
      {"what Graphviz would replace", R"(\\N&lt;)", R"("\\\\N&amp;lt;")"},
      {"HTML stays text", "<b>x</b>", R"("<b>x</b>")"},
      {"newline", "a\nb", R"("a\\x0ab")"},
      {"escape sequence", "\x1b[31m", R"("\\x1b[31m")"},
      {"empty", "", R"("")"},
  };
  for (const Case& test_case : cases) {
    SCOPED_TRACE(test_case.name);
    EXPECT_EQ(DotString(test_case.text), test_case.expected);
  }
}

TEST(DotLabel, PutsLinesBelowEachOther) {
  EXPECT_EQ(DotLabel({"a", "b\"", "c"}), R"("a\nb\"\nc")");
}

TEST(DotGraph, WritesNodesAndEdges) {
  StringWriter out;

  DotGraph graph("why", &out);
  graph.AddNode("a", {"A", "1"}, "shape=box");
  graph.AddNode("b", {"B"}, "");
  graph.AddEdge("b", "a", "fd \"7\"");
  graph.AddEdge("a", "b", "");
  graph.End();

  EXPECT_EQ(out.text(), R"(digraph "why" {
  rankdir=LR;
  node [fontname="sans-serif"];
  "a" [label="A\n1", shape=box];
  "b" [label="B"];
  "b" -> "a" [label="fd \"7\""];
  "a" -> "b";
}
)");
}

}  // namespace
}  // namespace nsctl::cmd
