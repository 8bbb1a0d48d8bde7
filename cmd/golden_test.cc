// Runs the commands of every transcript in testdata/ in this process and compares what they give.
//
// NSCTL_REWRITE_GOLDEN=1 bazel run //cmd:golden_test writes what they give into the source tree.
// The variables that a command line may set: COLUMNS, LANG (C.UTF-8 unless set), NO_COLOR, TTY,
// which makes stdout a terminal of so many cells, and ENGINES, a file with what container engines
// tell. The live procfs is testdata/host.tree.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "cmd/commands.h"
#include "cmd/dispatch.h"
#include "cmd/environment.h"
#include "cmd/fake_system.h"
#include "cmd/transcript.h"
#include "cmd/writer.h"
#include "engines/container.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::google::protobuf::TextFormat;

constexpr char kDirectory[] = "cmd/testdata";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() == ".golden") names.push_back(entry.path().stem());
  }
  return names;
}

// A file with `content` to read from.
base::OwnedFd MakeInput(const std::string& content) {
  base::OwnedFd fd(memfd_create("stdin", MFD_CLOEXEC), "stdin");
  EXPECT_TRUE(base::WriteAll(fd, content).ok());
  EXPECT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);
  return fd;
}

// Engines that tell what is in the file `name`, then the changes of changes.textproto, messages
// between empty lines.
void SetEngines(const std::string& name, FakeSystem* system) {
  engines::Containers containers;
  std::vector<engines::Change> changes;
  if (!name.empty()) {
    const std::string directory = std::string(kDirectory) + "/";
    EXPECT_TRUE(TextFormat::ParseFromString(ReadFile(directory + name), &containers));
    for (const absl::string_view text :
         absl::StrSplit(ReadFile(directory + "changes.textproto"), "\n\n")) {
      engines::Change change;
      EXPECT_TRUE(TextFormat::ParseFromString(std::string(text), &change)) << text;
      if (change.has_container()) changes.push_back(change);
    }
  }
  system->SetContainers(std::move(containers), std::move(changes));
}

TranscriptResult RunInProcess(const TranscriptCommand& command, const std::string& input,
                              FakeSystem* system) {
  const auto variable = [&](const char* name, const char* otherwise) -> std::string {
    const auto found = command.variables.find(name);
    return found == command.variables.end() ? otherwise : found->second;
  };
  SetEngines(variable("ENGINES", ""), system);
  const base::OwnedFd in = MakeInput(input);
  StringWriter out;
  StringWriter err;
  Environment env{
      .in = in,
      .out = &out,
      .err = &err,
      .out_is_terminal = !variable("TTY", "").empty(),
      .terminal_width = 0,
      .variables = {.no_color = !variable("NO_COLOR", "").empty(),
                    .columns = variable("COLUMNS", ""),
                    .locale = variable("LANG", "C.UTF-8")},
      .system = system,
      .commands = AllCommands(),
  };
  if (env.out_is_terminal) {
    EXPECT_TRUE(absl::SimpleAtoi(variable("TTY", ""), &env.terminal_width));
  }
  EXPECT_EQ(command.words.at(0), "nsctl");
  const ExitStatus status = RunNsctl({command.words.begin() + 1, command.words.end()}, env);
  return {out.text(), err.text(), static_cast<int>(status)};
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    NSCTL_ASSERT_OK_AND_ASSIGN(
        system_, FakeSystem::FromRecordedTree(ReadFile(std::string(kDirectory) + "/host.tree")));
  }

  // The directory of the recorded tree has another name on every run.
  std::string Steady(const std::string& text) const {
    return absl::StrReplaceAll(
        text, {{system_->procfs_path(), "/recorded"}, {system_->root_path(), "/root-of-1600"}});
  }

  std::unique_ptr<FakeSystem> system_;
};

TEST_P(GoldenTest, GivesWhatTheTranscriptSays) {
  const std::string name = std::string(kDirectory) + "/" + GetParam() + ".golden";
  const std::string expected = ReadFile(name);

  const std::string actual =
      Rerun(expected, [&](const TranscriptCommand& command, const std::string& input) {
        TranscriptResult result = RunInProcess(command, input, system_.get());
        return TranscriptResult{Steady(result.out), Steady(result.err), result.status};
      });

  const char* const workspace = getenv("BUILD_WORKSPACE_DIRECTORY");
  if (getenv("NSCTL_REWRITE_GOLDEN") != nullptr && workspace != nullptr) {
    std::ofstream(std::string(workspace) + "/" + name, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(actual, expected) << "to accept: NSCTL_REWRITE_GOLDEN=1 bazel run //cmd:golden_test";
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, ::testing::ValuesIn(GoldenNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace nsctl::cmd
