#include "cmd/table.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

Table MakeTable(const std::vector<std::string>& names) {
  Table table({{"N", Alignment::kRight}, {"TYPE"}, {"NAME"}});
  int number = 1;
  for (const std::string& name : names) {
    table.AddRow({{std::to_string(number)}, {"net"}, {name}});
    number *= 100;
  }
  return table;
}

std::string Print(const Table& table, const Presentation& presentation) {
  StringWriter out;
  table.Print(presentation, &out);
  return out.text();
}

TEST(Table, AlignsColumns) {
  EXPECT_EQ(Print(MakeTable({"a", "long name"}), {}),
            "  N TYPE NAME\n"
            "  1 net  a\n"
            "100 net  long name\n");
}

TEST(Table, LeavesOutHeadings) {
  EXPECT_EQ(Print(MakeTable({"a", "b"}), {.headings = false}),
            "  1 net a\n"
            "100 net b\n");
}

TEST(Table, HasAWordInEveryCell) {
  EXPECT_EQ(Print(MakeTable({""}), {}),
            "N TYPE NAME\n"
            "1 net  -\n");
}

TEST(Table, CutsTheLastColumnToTheWidth) {
  EXPECT_EQ(Print(MakeTable({"0123456789"}), {.width = 14}),
            "N TYPE NAME\n"
            "1 net  012345+\n");
}

TEST(Table, NeverCutsBelowTheHeading) {
  EXPECT_EQ(Print(MakeTable({"0123456789"}), {.width = 3}),
            "N TYPE NAME\n"
            "1 net  012+\n");
}

TEST(Table, CountsCellsNotBytes) {
  Table table({{"NAME"}, {"X"}});
  table.AddRow({{"漢字"}, {"1"}});
  table.AddRow({{"e\u0301"}, {"2"}});

  EXPECT_EQ(Print(table, {.glyphs = &kUnicodeGlyphs}),
            "NAME X\n"
            "漢字 1\n"
            "e\u0301    2\n");
}

TEST(Table, CutsBeforeAWideCharacterThatDoesNotFit) {
  Table table({{"N"}});
  table.AddRow({{"漢字漢字"}});

  EXPECT_EQ(Print(table, {.glyphs = &kUnicodeGlyphs, .width = 6}), "N\n漢字…\n");
}

TEST(Table, DisarmsText) {
  EXPECT_EQ(Print(MakeTable({"\x1b[2J\n\u202e"}), {.headings = false}),
            R"(1 net \x1b[2J\x0a\xe2\x80\xae)"
            "\n");
}

TEST(Table, ColoursTextButNotPadding) {
  Table table({{"TYPE"}, {"X"}});
  table.AddRow({{"net", Role::kNet}, {"1"}});

  EXPECT_EQ(Print(table, {.color = true}),
            "\x1b[1mTYPE\x1b[0m \x1b[1mX\x1b[0m\n"
            "\x1b[96mnet\x1b[0m  1\n");
}

}  // namespace
}  // namespace nsctl::cmd
