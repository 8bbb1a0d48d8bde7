#include "cmd/fs_stat_command.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs.pb.h"
#include "cmd/fs_file.h"
#include "cmd/fs_list.h"
#include "cmd/fs_operands.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::Timestamp;

constexpr CommandInfo kInfo = {
    .name = "stat",
    .alias = nullptr,
    .summary = "what files are",
    .arguments = "TARGET:PATH...",
    .description =
        "Shows what stat(1) shows of files of a target, a symlink itself and not what it\n"
        "leads to, and the mount that each is on.",
    .examples =
        "nsctl fs stat 1234:/etc/passwd\n"
        "nsctl fs stat -L 1234:/var/run\n"
        "nsctl fs stat -o json 1234:/dev/null | jq .files[0].device_number",
};

std::string TimeLine(const char* name, bool told, const Timestamp& time, absl::TimeZone zone) {
  return absl::StrFormat(
      "%8s: %s\n", name,
      told ? absl::FormatTime("%Y-%m-%d %H:%M:%E9S %z", TimeOf(time), zone) : std::string("-"));
}

std::string StatText(const FsFile& file, absl::TimeZone zone) {
  std::string out = absl::StrCat("    File: ", base::TerminalText(file.path()));
  if (!file.link_target().empty()) {
    absl::StrAppend(&out, " -> ", base::TerminalText(file.link_target()));
  }
  absl::StrAppend(&out, "\n    Type: ", FsTypeText(file.type()), "\n");
  absl::StrAppendFormat(&out, "    Size: %-15d Blocks: %d\n", file.size(), file.blocks());
  absl::StrAppendFormat(&out, "  Device: %-15s  Inode: %-11d Links: %d\n", file.device(),
                        file.inode(), file.links());
  if (!file.device_number().empty()) {
    absl::StrAppend(&out, "  Number: ", file.device_number(), "\n");
  }
  absl::StrAppendFormat(&out, "    Mode: %04o/%-10s    Uid: %-13d Gid: %d\n", file.mode(),
                        file.mode_text(), file.uid(), file.gid());
  if (file.has_mount_id()) {
    absl::StrAppend(&out, "   Mount: ", file.mount_id(), file.mount_root() ? " (its root)" : "",
                    "\n");
  }
  absl::StrAppend(&out, TimeLine("Access", file.has_accessed(), file.accessed(), zone),
                  TimeLine("Modify", file.has_modified(), file.modified(), zone),
                  TimeLine("Change", file.has_changed(), file.changed(), zone),
                  TimeLine("Birth", file.has_born(), file.born(), zone));
  return out;
}

class FsStatCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "what to look at");
    app->add_flag("-L,--dereference", follow_, "what a symlink leads to")->group("What to look at");
    output_.AddTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    return output_.ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_RETURN_IF_ERROR(operands_.Parse());
    FsFailures failures(env);
    FsStat result;
    operands_.ForEach(env, &failures, [&](const FsOperand& operand) -> absl::Status {
      NSCTL_ASSIGN_OR_RETURN(FsFile file, LookAtFile(operand, follow_, result.mutable_gaps()));
      *result.add_files() = std::move(file);
      return absl::OkStatus();
    });
    if (format == Format::kTable) {
      for (const FsFile& file : result.files()) {
        env.out->Append(StatText(file, absl::LocalTimeZone()));
      }
    } else {
      const auto for_each = [&](RecordSink sink) {
        for (const FsFile& file : result.files()) sink(file);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(result, for_each, format, env.out));
    }
    const ExitStatus finished = FinishWithGaps(env, kFs, result.gaps(), strict_);
    return failures.any() ? failures.status() : finished;
  }

 private:
  FsOperands operands_;
  OutputOptions output_{"table"};
  bool follow_ = false, strict_ = false;
};

}  // namespace

const CommandEntry kFsStatCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsStatCommand>(); }};

}  // namespace nsctl::cmd
