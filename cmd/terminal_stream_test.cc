#include "cmd/terminal_stream.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(TerminalStream, EscapesAllButNewlinesAndTabs) {
  TerminalStream stream;

  EXPECT_EQ(stream.Escape("a\tb\n\x1b]0;x\x07 \\n \xe2\x80\xae"),
            "a\tb\n\\x1b]0;x\\x07 \\n \\xe2\\x80\\xae");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TerminalStream, IsTheSameHoweverItIsCut) {
  const std::string text = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xe2\x82\n\xe2\x80\xae\xf0\x9f";
  TerminalStream whole;
  std::string expected = whole.Escape(text);
  expected += whole.Finish();

  EXPECT_EQ(expected,
            "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\xff\\xe2\\x82\n\\xe2\\x80\\xae\\xf0\\x9f");
  for (size_t size = 1; size < text.size(); ++size) {
    TerminalStream stream;
    std::string out;
    for (size_t at = 0; at < text.size(); at += size) {
      absl::StrAppend(&out, stream.Escape(absl::string_view(text).substr(at, size)));
    }
    absl::StrAppend(&out, stream.Finish());
    EXPECT_EQ(out, expected) << size;
  }
}

}  // namespace
}  // namespace nsctl::cmd
