#include "cmd/exec_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/text.h"
#include "cmd/table.h"
#include "nsentry/entry_message.h"

namespace nsctl::cmd {
namespace {

// The types that were entered, in their order.
std::string Entered(const ExecResult& result) {
  std::vector<std::string> types;
  for (const nsentry::EntryOutcome& outcome : result.namespaces()) {
    if (outcome.has_after()) types.push_back(outcome.type());
  }
  return absl::StrJoin(types, ",");
}

std::string CommandOf(const ExecResult& result) {
  if (result.command().empty()) return "the user's shell";
  return base::TerminalText(absl::StrJoin(result.command(), " "));
}

}  // namespace

void PrintExecResults(const ExecReport& report, const Presentation& presentation, Writer* out) {
  Table table({{"TARGET"},
               {"PID", Alignment::kRight},
               {"STATUS", Alignment::kRight},
               {"ENTERED"},
               {"ERROR"}});
  for (const ExecResult& result : report.results()) {
    table.AddRow({{result.target()},
                  {result.has_pid() ? absl::StrCat(result.pid()) : ""},
                  {result.has_exit_status() ? absl::StrCat(result.exit_status()) : ""},
                  {Entered(result)},
                  {result.error()}});
  }
  table.Print(presentation, out);
}

void PrintExecPlans(const ExecReport& report, Writer* out) {
  for (const ExecResult& result : report.results()) {
    if (report.results_size() > 1) {
      out->Append(absl::StrCat(base::TerminalText(result.target()), ":\n"));
    }
    out->Append(nsentry::PlanText(result.plan()));
    if (!result.error().empty()) continue;
    std::string line = absl::StrCat("run   ", CommandOf(result));
    if (result.has_uid()) absl::StrAppend(&line, " as uid ", result.uid());
    if (result.has_gid())
      absl::StrAppend(&line, result.has_uid() ? "," : " as", " gid ", result.gid());
    if (result.plan().forks())
      absl::StrAppend(&line, ", in a process of its own in the PID namespace");
    out->Append(absl::StrCat(line, "\n"));
  }
}

}  // namespace nsctl::cmd
