#include "cmd/caps_text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "cmd/labels.h"
#include "cmd/table.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;
using nsdisc::Process;
using Row = CapabilityReport::Row;
using Verdict = CapabilityReport::Verdict;

// Names of capabilities stand in so many columns, each as wide as the longest of all names.
constexpr size_t kNamesPerLine = 4;
constexpr size_t kNameWidth = 22;

class CapsPrinter {
 public:
  CapsPrinter(const CapabilityReport& report, bool brief, const Presentation& presentation,
              Writer* out)
      : report_(report),
        brief_(brief),
        presentation_(presentation),
        glyphs_(*presentation.glyphs),
        out_(out) {}

  void Print() {
    for (int i = 0; i < report_.rows_size(); ++i) PrintRow(i);
    if (report_.others().empty()) return;
    out_->Append("\n");
    PrintOthers();
  }

 private:
  // "all 41 capabilities", "2 of 41 capabilities", "no capabilities".
  std::string CountText(const CapabilitySet& set) const {
    if (set.names().empty()) return "no capabilities";
    const uint32_t known = report_.last_capability() + 1;
    if (set.all()) return absl::StrCat("all ", known, " capabilities");
    return absl::StrCat(set.names_size(), " of ", known, " capabilities");
  }

  static std::string UidText(const Process& process) {
    if (!process.has_uid()) return "";
    return absl::StrCat(" of UID ", process.uid(),
                        process.has_user() ? absl::StrCat(" (", Quoted(process.user()), ")") : "");
  }

  static std::string ProcessText(const Process& process) {
    return absl::StrCat("process ", Quoted(process.name()), " (", PidText(process), ")");
  }

  std::string MarkText(bool known, const CapabilitySet& set) const {
    if (!known) return presentation_.Paint(Role::kFaint, glyphs_.unknown);
    if (set.names().empty()) return presentation_.Paint(Role::kBad, glyphs_.bad);
    if (set.all()) return presentation_.Paint(Role::kGood, glyphs_.good);
    return presentation_.Paint(Role::kLimited, glyphs_.limited);
  }

  bool IsLast(int i) const {
    for (int j = i + 1; j < report_.rows_size(); ++j) {
      if (report_.rows(j).depth() < report_.rows(i).depth()) return true;
      if (report_.rows(j).depth() == report_.rows(i).depth()) return false;
    }
    return true;
  }

  bool HasChildren(int i) const {
    return i + 1 < report_.rows_size() && report_.rows(i + 1).depth() > report_.rows(i).depth();
  }

  void PrintRow(int i) {
    const Row& row = report_.rows(i);
    const size_t depth = row.depth();
    pieces_.resize(depth, glyphs_.blank);
    std::string glyphs;
    for (size_t level = 1; level < depth; ++level) glyphs += pieces_[level];
    std::string below = glyphs;
    if (depth > 0) {
      const bool last = IsLast(i);
      absl::StrAppend(&glyphs, last ? glyphs_.last_branch : glyphs_.branch);
      absl::StrAppend(&below, last ? glyphs_.blank : glyphs_.line);
      pieces_.push_back(last ? glyphs_.blank : glyphs_.line);
    } else {
      pieces_.push_back("");
    }
    PrintLine(absl::StrCat(glyphs, row.has_namespace_() ? NamespaceLine(row) : ProcessLine()));
    absl::StrAppend(&below, HasChildren(i) ? glyphs_.line : glyphs_.blank);
    if (!row.has_namespace_()) PrintSets(below);
    if (row.is_target()) PrintVerdict(below);
  }

  std::string ProcessLine() const {
    return absl::StrCat(ProcessText(report_.process()), UidText(report_.process()));
  }

  std::string NamespaceLine(const Row& row) const {
    const Namespace& ns = row.namespace_();
    const Verdict& verdict = report_.verdict();
    std::string line = row.is_target() ? MarkText(verdict.has_effective(), verdict.effective())
                                       : MarkText(row.has_effective(), row.effective());
    absl::StrAppend(
        &line, row.is_target() ? " target " : " ",
        presentation_.Paint(RoleOf(ns.type()), ns.inode() == 0 ? "user:[?]" : NamespaceText(ns)));
    if (row.has_representative()) absl::StrAppend(&line, " ", ProcessText(row.representative()));
    if (!ns.has_owner_uid()) return line;
    return absl::StrCat(
        line, " created by UID ", ns.owner_uid(),
        ns.has_owner_user() ? absl::StrCat(" (", Quoted(ns.owner_user()), ")") : "");
  }

  void PrintSets(const std::string& before) {
    if (!report_.has_effective()) {
      PrintProperty(before, "its capabilities are unknown");
    } else if (brief_) {
      PrintProperty(before, CountText(report_.effective()));
    } else {
      PrintSet(before, "effective", report_.effective());
      PrintSet(before, "permitted", report_.permitted());
      PrintSet(before, "inheritable", report_.inheritable());
      if (report_.has_bounding()) PrintSet(before, "bounding", report_.bounding());
      if (report_.has_ambient()) PrintSet(before, "ambient", report_.ambient());
    }
    if (report_.no_new_privileges()) PrintProperty(before, "no new privileges by execve(2)");
    if (report_.securebits() != 0) {
      PrintProperty(before, absl::StrFormat("securebits: 0x%x", report_.securebits()));
    }
  }

  // The names of a set follow it where it is not all of the kernel's, unless it is the same as one
  // whose names are there.
  void PrintSet(const std::string& before, absl::string_view what, const CapabilitySet& set) {
    const std::string& shown = &set == &report_.effective() ? report_.verdict().effective().mask()
                                                            : report_.effective().mask();
    PrintProperty(before, absl::StrCat(what, ": ", CountText(set), " (", set.mask(), ")"));
    if (!set.all() && set.mask() != shown) PrintNames(before, set);
  }

  void PrintVerdict(const std::string& before) {
    const Verdict& verdict = report_.verdict();
    PrintProperty(before, absl::StrCat(verdict.has_effective() ? CountText(verdict.effective())
                                                               : "unknown capabilities",
                                       ": ", verdict.reason()));
    if (brief_) return;
    PrintNames(before, verdict.effective());
    if (verdict.permitted().names_size() <= verdict.effective().names_size()) return;
    PrintProperty(before,
                  absl::StrCat("it could add, to have ", CountText(verdict.permitted()), ":"));
    PrintNames(before, verdict.permitted());
  }

  void PrintNames(const std::string& before, const CapabilitySet& set) {
    const std::string continued(base::DisplayWidth(glyphs_.property), ' ');
    for (int i = 0; i < set.names_size(); i += static_cast<int>(kNamesPerLine)) {
      std::string line;
      const int end = std::min(set.names_size(), i + static_cast<int>(kNamesPerLine));
      for (int j = i; j < end; ++j) {
        line += set.names(j);
        if (j + 1 == end) break;
        const size_t width = set.names(j).size();
        line.append(width < kNameWidth ? kNameWidth - width + 1 : 1, ' ');
      }
      PrintLine(absl::StrCat(before, continued, line));
    }
  }

  void PrintProperty(const std::string& before, absl::string_view text) {
    PrintLine(absl::StrCat(before, glyphs_.property, base::TerminalText(text)));
  }

  // `line` is safe. Lines are not cut: a reason without its end is none.
  void PrintLine(absl::string_view line) { out_->Append(absl::StrCat(line, "\n")); }

  void PrintOthers() {
    Table table({{"NAMESPACE"}, {"OWNER"}, {"HAS"}, {"REASON"}});
    for (const Verdict& verdict : report_.others()) {
      const std::string owner =
          verdict.has_user_namespace()
              ? base::NamespaceLinkText(base::NamespaceType::kUser, verdict.user_namespace())
              : "?";
      std::string has = "?";
      if (verdict.has_effective()) {
        const CapabilitySet& set = verdict.effective();
        has = set.names().empty() ? "none"
              : set.all()         ? "all"
                          : absl::StrCat(set.names_size(), " of ", report_.last_capability() + 1);
      }
      table.AddRow({{NamespaceText(verdict.target()), RoleOf(verdict.target().type())},
                    {owner},
                    {has},
                    {verdict.reason()}});
    }
    table.Print(presentation_, out_);
  }

  const CapabilityReport& report_;
  const bool brief_;
  const Presentation& presentation_;
  const Glyphs& glyphs_;
  Writer* out_;
  // By level, what continues below a row of that level.
  std::vector<const char*> pieces_;
};

}  // namespace

void PrintCapabilityReport(const CapabilityReport& report, bool brief,
                           const Presentation& presentation, Writer* out) {
  CapsPrinter(report, brief, presentation, out).Print();
}

}  // namespace nsctl::cmd
