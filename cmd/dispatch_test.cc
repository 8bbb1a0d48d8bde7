#include "cmd/dispatch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "base/fd.h"
#include "cmd/command.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "say",
    .alias = "s",
    .summary = "says a word",
    .arguments = "WORD",
    .description = "Says a word.",
    .examples = "",
};

// Answers as its argument tells it to.
class SayCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override { app->add_option("word", word_)->type_name("WORD"); }
  std::vector<Choice> ChoicesOf(absl::string_view) const override { return {}; }
  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    env.out->Append(word_);
    if (word_ == "unimplemented") return absl::UnimplementedError("the kernel lacks it");
    if (word_ == "fail") return absl::InternalError("it broke\n\x1b");
    if (word_ == "gaps") return ExitStatus::kGaps;
    return ExitStatus::kDone;
  }

 private:
  std::string word_;
};

constexpr CommandEntry kCommands[] = {
    {&kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<SayCommand>(); }}};

struct Result {
  int status;
  std::string err;
};

Result RunWords(std::vector<std::string> arguments, Writer* out) {
  StringWriter err;
  Environment env{
      .in = base::FdRef(-1),
      .out = out,
      .err = &err,
      .out_is_terminal = false,
      .terminal_width = 0,
      .variables = {},
      .system = nullptr,
      .commands = kCommands,
  };
  const ExitStatus status = RunNsctl(arguments, env);
  return {static_cast<int>(status), err.text()};
}

TEST(RunNsctl, ReportsExitStatusAndMessage) {
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::string err;
  };
  const Case cases[] = {
      {{"say", "hello"}, 0, ""},
      {{"s", "gaps"}, 3, ""},
      {{"say", "fail"}, 1, "nsctl: say: it broke\\x0a\\x1b\n"},
      {{"say", "help"}, 0, ""},
      {{"say", "help", "me"}, 2, "nsctl: say: help is a command of its own: nsctl help say\n"},
      {{"say", "unimplemented"}, 4, "nsctl: say: the kernel lacks it\n"},
      {{"say", "a", "b"}, 2, "nsctl: say: unexpected argument \"b\"\n"},
      {{"sya"}, 2, "nsctl: unknown command \"sya\"; did you mean \"say\"?\n"},
  };
  for (const Case& c : cases) {
    StringWriter out;
    const Result result = RunWords(c.arguments, &out);
    EXPECT_EQ(result.status, c.status) << c.arguments.back();
    EXPECT_EQ(result.err, c.err) << c.arguments.back();
  }
}

TEST(RunNsctl, SaysNothingWhereTheReaderIsGone) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  base::OwnedFd write_end(ends[1], "stdout");
  close(ends[0]);
  const auto old_handler = signal(SIGPIPE, SIG_IGN);
  const auto restore = absl::MakeCleanup([&] { signal(SIGPIPE, old_handler); });
  FdWriter out(write_end);

  const Result result = RunWords({"say", "hello"}, &out);

  EXPECT_EQ(result.status, 141);
  EXPECT_EQ(result.err, "");
}

TEST(RunNsctl, SaysNothingWhereThereIsNoStdout) {
  const base::OwnedFd read_only(open("/dev/null", O_RDONLY | O_CLOEXEC), "stdout");
  FdWriter out(read_only);

  const Result result = RunWords({"say", "hello"}, &out);

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "");
}

TEST(RunNsctl, ReportsAFullDisk) {
  const base::OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC), "stdout");
  if (!full.ok()) GTEST_SKIP() << "no /dev/full";
  FdWriter out(full);

  const Result result = RunWords({"say", "hello"}, &out);

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "nsctl: say: write stdout: No space left on device (ENOSPC)\n");
}

}  // namespace
}  // namespace nsctl::cmd
