#include "cmd/doctor_command.h"

#include <memory>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "cmd/doctor.pb.h"
#include "cmd/doctor_facts.h"
#include "cmd/doctor_report.h"
#include "cmd/doctor_text.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "doctor",
    .alias = nullptr,
    .summary = "what kernel and privileges allow, and what will be missing",
    .arguments = "",
    .description =
        "Tries what nsctl uses of the kernel, looks at the caller's privileges and at\n"
        "every process, and says what follows for the results of other commands.",
    .examples = "nsctl doctor\nsudo nsctl doctor -o json",
};

class DoctorCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("--procfs", procfs_, "look at the procfs that is mounted at DIR")
        ->type_name("DIR")
        ->take_last()
        ->group("Source");
    output_.AddTo(app);
    presentation_.AddGlyphsTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where something will be missing");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    return PresentationOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, env.system->OpenProcfs(procfs_));
    const DoctorReport report = JudgeDoctorFacts(CollectDoctorFacts(procfs, *env.system));
    if (format == Format::kTable) {
      PrintDoctorReport(report, presentation, env.out);
    } else {
      const auto for_each_record = [&](RecordSink sink) { sink(report); };
      NSCTL_RETURN_IF_ERROR(WriteMessage(report, for_each_record, format, env.out));
    }
    return strict_ && !report.missing().empty() ? ExitStatus::kGaps : ExitStatus::kDone;
  }

 private:
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::string procfs_;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kDoctorCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<DoctorCommand>(); }};

}  // namespace nsctl::cmd
