#include "cmd/doctor_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

using Check = DoctorReport::Check;

// Headings of groups, in the order in which they are printed.
struct Group {
  const char* name;
  const char* heading;
};

constexpr Group kGroups[] = {
    {"caller", "What nsctl may do"},
    {"procfs", "What the procfs shows"},
    {"reach", "What is there to see"},
    {"features", "What the kernel offers"},
};

std::string MarkOf(Check::State state, const Presentation& presentation) {
  const Glyphs& glyphs = *presentation.glyphs;
  switch (state) {
    case Check::good:
      return presentation.Paint(Role::kGood, glyphs.good);
    case Check::limited:
      return presentation.Paint(Role::kLimited, glyphs.limited);
    case Check::missing:
      return presentation.Paint(Role::kBad, glyphs.bad);
    default:
      return presentation.Paint(Role::kLimited, glyphs.unknown);
  }
}

void PrintCheck(const Check& check, size_t name_width, const Presentation& presentation,
                Writer* out) {
  std::string name = base::TerminalText(check.name());
  name.resize(std::max(name.size(), name_width), ' ');
  std::string line = absl::StrCat("  ", MarkOf(check.state(), presentation), " ", name, "  ",
                                  base::TerminalText(check.value()));
  if (check.state() != Check::good && !check.since().empty()) {
    absl::StrAppend(&line, ", since Linux ", base::TerminalText(check.since()));
  }
  absl::StrAppend(&line, "\n");
  if (!check.consequence().empty()) {
    const std::string consequence = base::TerminalText(check.consequence());
    absl::StrAppend(&line, "      ", presentation.Paint(Role::kFaint, consequence), "\n");
  }
  out->Append(line);
}

void PrintGroup(const Group& group, const DoctorReport& report, const Presentation& presentation,
                Writer* out) {
  size_t name_width = 0;
  for (const Check& check : report.checks()) {
    if (check.group() == group.name) name_width = std::max(name_width, check.name().size());
  }
  if (name_width == 0) return;
  out->Append(absl::StrCat("\n", presentation.Paint(Role::kHeading, group.heading), "\n"));
  for (const Check& check : report.checks()) {
    if (check.group() == group.name) PrintCheck(check, name_width, presentation, out);
  }
}

}  // namespace

void PrintDoctorReport(const DoctorReport& report, const Presentation& presentation, Writer* out) {
  std::string title = absl::StrCat("Linux ", base::TerminalText(report.kernel_release()));
  if (!report.machine().empty()) {
    absl::StrAppend(&title, " ", base::TerminalText(report.machine()));
  }
  out->Append(absl::StrCat(title, "\n"));
  for (const Group& group : kGroups) PrintGroup(group, report, presentation, out);
  if (report.missing().empty()) {
    out->Append("\nResults will be complete.\n");
    return;
  }
  out->Append(
      absl::StrCat("\n", presentation.Paint(Role::kHeading, "What results will lack"), "\n"));
  for (const std::string& sentence : report.missing()) {
    out->Append(absl::StrCat("  ", MarkOf(Check::missing, presentation), " ",
                             base::TerminalText(sentence), "\n"));
  }
}

}  // namespace nsctl::cmd
