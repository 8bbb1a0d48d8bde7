#include "cmd/transcript.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;

TranscriptResult Echo(const TranscriptCommand& command, const std::string& input) {
  TranscriptResult result;
  for (size_t i = 1; i < command.words.size(); ++i) result.out += command.words[i] + "\n";
  result.out += input;
  return result;
}

TEST(ParseCommandLine, KnowsQuotesVariablesAndPipes) {
  EXPECT_THAT(
      ParseCommandLine(R"(A=1 B=x nsctl list --from='a | b' | nsctl $'\x1b\n' C=2)"),
      ElementsAre(TranscriptCommand{{{"A", "1"}, {"B", "x"}}, {"nsctl", "list", "--from=a | b"}},
                  TranscriptCommand{{}, {"nsctl", "\x1b\n", "C=2"}}));
}

TEST(Rerun, ReplacesResultsOnly) {
  EXPECT_EQ(Rerun("# A comment.\n\n$ echo a b\n| old\n! old\n? 1\n\n$ echo c | echo d\n", Echo),
            "# A comment.\n\n$ echo a b\n| a\n| b\n\n$ echo c | echo d\n| d\n| c\n");
}

TEST(Rerun, ShowsStderrAndStatus) {
  const auto fail = [](const TranscriptCommand&, const std::string&) {
    return TranscriptResult{"", "no\n", 2};
  };

  EXPECT_EQ(Rerun("$ x\n", fail), "$ x\n! no\n? 2\n");
}

TEST(Rerun, ShowsWhatTerminalsWouldNot) {
  const auto paint = [](const TranscriptCommand&, const std::string&) {
    return TranscriptResult{"\x1b[1mNS\n\nlast", "", 0};
  };

  EXPECT_EQ(Rerun("$ x\n", paint), "$ x\n| ␛[1mNS\n|\n| last\n\\\n");
}

TEST(Rerun, IsStable) {
  const std::string once = Rerun("# c\n$ echo a\n", Echo);

  EXPECT_EQ(Rerun(once, Echo), once);
}

}  // namespace
}  // namespace nsctl::cmd
