#include "cmd/exec_text.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
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

// "root of the target", "root /x"
std::string Place(absl::string_view what, absl::string_view place) {
  if (place == "target") return absl::StrCat(what, " of the target");
  return absl::StrCat(what, " ", base::TerminalText(place));
}

std::string ListOrNone(const std::vector<std::string>& items) {
  return items.empty() ? "none" : base::TerminalText(absl::StrJoin(items, ","));
}

std::string GroupsOf(const ExecSurroundings& how) {
  std::vector<std::string> groups;
  for (const uint32_t group : how.groups()) groups.push_back(absl::StrCat(group));
  return ListOrNone(groups);
}

// What differs from how nsctl runs itself, in the order in which it is done.
std::vector<std::string> Differences(const ExecSurroundings& how) {
  std::vector<std::string> all;
  if (!how.cgroups().empty()) {
    all.push_back(absl::StrCat("cgroups ", base::TerminalText(absl::StrJoin(how.cgroups(), ","))));
  }
  if (!how.root().empty()) all.push_back(Place("root directory", how.root()));
  if (!how.directory().empty()) all.push_back(Place("working directory", how.directory()));
  if (!how.inner_directory().empty()) {
    all.push_back(Place("working directory inside", how.inner_directory()));
  }
  if (how.environment() == "target") all.push_back("environment of the target");
  if (how.environment() == "empty") all.push_back("an empty environment");
  for (const std::string& variable : how.variables()) all.push_back(base::TerminalText(variable));
  if (how.sets_groups()) all.push_back(absl::StrCat("supplementary groups: ", GroupsOf(how)));
  if (how.sets_capabilities()) {
    all.push_back(absl::StrCat("capabilities: ",
                               ListOrNone({how.capabilities().begin(), how.capabilities().end()})));
  }
  if (how.keeps_capabilities()) all.push_back("all capabilities kept");
  if (how.no_new_privileges()) all.push_back("no new privileges");
  if (!how.security_context().empty()) {
    all.push_back(Place("security context", how.security_context()));
  }
  return all;
}

absl::string_view WhereItIsBorn(const ExecResult& result) {
  if (!result.plan().forks()) return "";
  // As with nsenter.
  if (result.surroundings().no_fork())
    return ", outside of the PID namespace: its children are in it";
  return ", in a process of its own in the PID namespace";
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
    out->Append(absl::StrCat(line, WhereItIsBorn(result), "\n"));
    for (const std::string& difference : Differences(result.surroundings())) {
      out->Append(absl::StrCat("with  ", difference, "\n"));
    }
  }
}

}  // namespace nsctl::cmd
