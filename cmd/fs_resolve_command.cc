#include "cmd/fs_resolve_command.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs.pb.h"
#include "cmd/fs_display.h"
#include "cmd/fs_file.h"
#include "cmd/fs_operands.h"
#include "cmd/fs_trace.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/table.h"
#include "procfsroot/handle.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {
namespace {

using procfsroot::PathRules;
using procfsroot::Root;

constexpr CommandInfo kInfo = {
    .name = "resolve",
    .alias = nullptr,
    .summary = "where paths lead to",
    .arguments = "TARGET:PATH...",
    .description =
        "Follows paths from the root of a target as the kernel does for a process there:\n"
        "absolute links start at that root and \"..\" ends at it. Shows the path that is\n"
        "reached, seen from the root, and which file that is; with -v the links and\n"
        "mounts on the way.",
    .examples =
        "nsctl fs resolve 1234:/var/run/docker.sock\n"
        "nsctl fs resolve -v 1234:/etc/resolv.conf\n"
        "nsctl fs resolve --noheadings 1234:/proc | cut -d' ' -f1",
};

absl::StatusOr<FsResolved> Resolve(const FsOperand& operand, PathRules rules) {
  const Root& root = *operand.root;
  NSCTL_ASSIGN_OR_RETURN(const FsPlace place, FindFsPlace(root, operand.path, rules));
  // What lookup told: the path was resolved, whether its server goes on answering or not.
  NSCTL_ASSIGN_OR_RETURN(const struct statx status, procfsroot::LookedUpStat(place.handle));
  FsResolved result;
  result.set_argument(operand.Name());
  result.set_path(base::EncodeText(place.path));
  FsFile* file = result.mutable_file();
  file->set_path(operand.NameOf(place.path));
  file->set_name(base::EncodeText(LastComponent(place.path)));
  FillFsFile(status, file);
  *result.mutable_steps() = TracePath(root, operand.path);
  return result;
}

std::string StepText(const FsResolved::Step& step) {
  if (step.has_mount_id()) {
    return absl::StrCat("  mount ", base::TerminalText(step.path()), " (", step.mount_id(), ", ",
                        step.device(), ")\n");
  }
  return absl::StrCat("  link ", base::TerminalText(step.path()), " -> ",
                      base::TerminalText(step.link_target()), "\n");
}

class FsResolveCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "the paths");
    const auto flag = [app](const char* names, bool& value, const char* help) {
      app->add_flag(names, value, help)->group("What to look at");
    };
    flag("-P,--no-follow", no_follow_, "do not follow the last component");
    flag("-x,--one-file-system", same_mount_, "refuse to cross mount points");
    output_.AddTo(app);
    app->add_flag("-v,--verbose", verbose_, "show the links and mounts on the way")
        ->group("Appearance");
    presentation_.AddHeadingsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    return PresentationOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_RETURN_IF_ERROR(operands_.Parse());
    FsFailures failures(env);
    FsResolution result;
    operands_.ForEach(env, &failures, [&](const FsOperand& operand) -> absl::Status {
      NSCTL_ASSIGN_OR_RETURN(FsResolved resolved, Resolve(operand, {.follow_last = !no_follow_,
                                                                    .same_mount = same_mount_}));
      *result.add_paths() = std::move(resolved);
      return absl::OkStatus();
    });
    if (format == Format::kTable) {
      Print(result, presentation, env.out);
    } else {
      const auto for_each = [&](RecordSink sink) {
        for (const FsResolved& resolved : result.paths()) sink(resolved);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(result, for_each, format, env.out));
    }
    return failures.status();
  }

 private:
  void Print(const FsResolution& result, const Presentation& presentation, Writer* out) const {
    if (result.paths().empty()) return;
    Table table({{"PATH", Alignment::kLeft},
                 {"TYPE", Alignment::kLeft},
                 {"DEVICE", Alignment::kLeft},
                 {"INODE", Alignment::kRight},
                 {"MOUNT", Alignment::kRight}});
    for (const FsResolved& resolved : result.paths()) {
      const FsFile& file = resolved.file();
      table.AddRow({{resolved.path()},
                    {FsTypeText(file.type())},
                    {file.device()},
                    {absl::StrCat(file.inode())},
                    {file.has_mount_id() ? absl::StrCat(file.mount_id()) : ""}});
    }
    table.Print(presentation, out);
    if (!verbose_) return;
    for (const FsResolved& resolved : result.paths()) {
      out->Append(absl::StrCat(base::TerminalText(resolved.argument()), ":\n"));
      for (const FsResolved::Step& step : resolved.steps()) out->Append(StepText(step));
    }
  }

  FsOperands operands_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  bool no_follow_ = false, same_mount_ = false, verbose_ = false;
};

}  // namespace

const CommandEntry kFsResolveCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsResolveCommand>(); }};

}  // namespace nsctl::cmd
