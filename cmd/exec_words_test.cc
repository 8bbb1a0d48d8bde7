#include "cmd/exec_words.h"

#include <ostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "cmd/exec_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {

void PrintTo(const ExecWords& words, std::ostream* os) {
  *os << "options:";
  for (const std::string& word : words.options) *os << " [" << word << "]";
  *os << " command:";
  for (const std::string& word : words.command) *os << " [" << word << "]";
}

namespace {

using Words = std::vector<std::string>;

struct Case {
  std::string name;
  Words words;
  ExecWords split;
};

class ExecWordsCases : public ::testing::TestWithParam<Case> {};

TEST_P(ExecWordsCases, AreTakenApart) {
  CLI::App app;
  ExecSettings settings;
  AddExecOptions(&app, &settings);

  EXPECT_EQ(SplitExecWords(app, GetParam().words), GetParam().split);
}

INSTANTIATE_TEST_SUITE_P(
    All, ExecWordsCases,
    ::testing::ValuesIn(std::vector<Case>{
        {"Nothing", {}, {}},
        {"Target", {"7"}, {{"7"}, {}}},
        {"Command", {"7", "--", "ls", "-l", "--"}, {{"7"}, {"ls", "-l", "--"}}},
        {"CommandWithoutMark", {"7", "ls", "-l"}, {{"7"}, {"ls", "-l"}}},
        {"OptionsAfterTheTarget", {"7", "-n", "ls", "-n"}, {{"7", "--net"}, {"ls", "-n"}}},
        {"CommandWithoutTarget", {"-n/x", "--", "ls"}, {{"--net=/x"}, {"ls"}}},
        {"Cluster", {"-mnp", "7"}, {{"--mount", "--net", "--pid", "7"}, {}}},
        {"ValueInTheWord",
         {"-n/x", "-u=y", "-i:5", "-p./z"},
         {{"--net=/x", "--uts=y", "--ipc=:5", "--pid=./z"}, {}}},
        {"NamespaceInTheWord", {"-nnet:[5]", "ls"}, {{"--net=net:[5]"}, {"ls"}}},
        {"FilesNameAll", {"--net=/x", "ip", "a"}, {{"--net=/x"}, {"ip", "a"}}},
        {"FilesDoNotNameAll", {"--net=/x", "-u", "ip"}, {{"--net=/x", "--uts", "ip"}, {}}},
        {"FilesAndATarget", {"--net=/x", "7", "ls"}, {{"--net=/x", "7"}, {"ls"}}},
        {"FilesAndATargetIsNeeded",
         {"-n/x", "-c", "ls"},
         {{"--net=/x", "--join-cgroup", "ls"}, {}}},
        {"OptionalValueIsNoWord", {"-n", "7"}, {{"--net", "7"}, {}}},
        {"LongOptionalValueIsNoWord", {"--net", "7", "ls"}, {{"--net", "7"}, {"ls"}}},
        {"NeededValueIsAWord", {"-S", "7", "-G8", "9"}, {{"--setuid", "7", "--setgid=8", "9"}, {}}},
        {"LongNeededValueIsAWord", {"--setuid", "7", "9", "ls"}, {{"--setuid", "7", "9"}, {"ls"}}},
        {"ClusterEndsWithAValue", {"-nS", "7", "9"}, {{"--net", "--setuid", "7", "9"}, {}}},
        {"Terminal", {"-it", "7"}, {{"--tty=always", "7"}, {}}},
        {"TerminalTheOtherWay", {"-ti", "7"}, {{"--tty=always", "7"}, {}}},
        {"NsentersTarget", {"-t", "7", "-n", "ls"}, {{"7", "--net"}, {"ls"}}},
        {"NsentersTargetInTheWord", {"-t7", "-n", "ls"}, {{"7", "--net"}, {"ls"}}},
        {"NsentersTargetWithoutAFork",
         {"-F", "-t", "7", "-n", "--", "ls"},
         {{"--no-fork", "7", "--net"}, {"ls"}}},
        {"ClusterEndsWithTheTarget", {"-nt", "7", "ls"}, {{"--net", "7"}, {"ls"}}},
        {"TerminalAndAContainer", {"-t", "a/web", "ls"}, {{"--tty=auto", "a/web"}, {"ls"}}},
        {"TerminalBehindTheTarget", {"7", "-t", "ls"}, {{"7", "--tty=auto"}, {"ls"}}},
        {"LongTarget", {"--target", "7", "-n", "ls"}, {{"7", "--net"}, {"ls"}}},
        {"LongTargetWithValue", {"--target=7", "ls"}, {{"7"}, {"ls"}}},
        {"EnvironmentOfTheTarget", {"-e", "7"}, {{"--target-env", "7"}, {}}},
        {"LongEnvironmentOfTheTarget", {"--env", "7"}, {{"--target-env", "7"}, {}}},
        {"Variable", {"-e", "A=b", "--env", "C=", "7"}, {{"--env=A=b", "--env=C=", "7"}, {}}},
        {"VariableInTheWord", {"--env=A=b", "7"}, {{"--env=A=b", "7"}, {}}},
        {"ManyTargets", {"--each", "7", "8", "--", "ls"}, {{"--each", "7", "8"}, {"ls"}}},
        {"EachMayStandBehind", {"7", "8", "--each", "--", "ls"}, {{"7", "8", "--each"}, {"ls"}}},
        {"EachOfTheCommand", {"7", "--", "x", "--each"}, {{"7"}, {"x", "--each"}}},
        {"NoTarget", {"--gons-env", "ls", "-l"}, {{"--gons-env"}, {"ls", "-l"}}},
        {"Unknown", {"-nXu", "--nett", "-9"}, {{"--net", "-Xu", "--nett", "-9"}, {}}},
        {"LoneHyphen", {"7", "-"}, {{"7"}, {"-"}}},
        {"ValueMissing", {"-S"}, {{"--setuid"}, {}}},
    }),
    [](const auto& info) { return info.param.name; });

TEST(ExecWords, SayWhereOthersMeanATerminal) {
  CLI::App app;
  ExecSettings settings;
  AddExecOptions(&app, &settings);
  const auto problem = [&](const Words& words) { return SplitExecWords(app, words).problem; };

  EXPECT_THAT(problem({"-i", "-t", "7", "ls"}), ::testing::HasSubstr("write -it for a terminal"));
  EXPECT_NE(problem({"-t", "-i", "a/web", "ls"}), "");
  EXPECT_EQ(problem({"-t", "7", "-i", "ls"}), "");
  EXPECT_EQ(problem({"-i", "-n", "-t", "7", "ls"}), "");
  EXPECT_EQ(problem({"7", "--", "ls", "-i", "-t"}), "");
}

}  // namespace
}  // namespace nsctl::cmd
