#include "cmd/version_command.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/version.pb.h"
#include "nsdisc/snapshot_io.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "version",
    .alias = nullptr,
    .summary = "which nsctl this is",
    .arguments = "",
    .description = "Prints the version.",
    .examples = "nsctl version\nnsctl version -o json",
};

class VersionCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override { output_.AddTo(app); }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    return output_.ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    VersionInfo info;
    info.set_name("nsctl");
    info.set_version(base::kVersion);
    info.set_snapshot_format(nsdisc::kSnapshotFormat);
    if (format == Format::kTable) {
      env.out->Append(absl::StrCat(info.name(), " ", info.version(), "\n"));
    } else {
      NSCTL_RETURN_IF_ERROR(WriteMessage(
          info, [&](RecordSink sink) { sink(info); }, format, env.out));
    }
    return ExitStatus::kDone;
  }

 private:
  OutputOptions output_{"table"};
};

}  // namespace

const CommandEntry kVersionCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<VersionCommand>(); }};

}  // namespace nsctl::cmd
