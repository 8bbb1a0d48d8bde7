#include "cmd/diff_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/labels.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "google/protobuf/util/time_util.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Change;
using nsdisc::FieldChange;
using nsdisc::SnapshotDiff;

struct KindRow {
  const char* sign;
  Role role;
};

KindRow RowOf(Change::Kind kind) {
  switch (kind) {
    case Change::added:
      return {"+ ", Role::kGood};
    case Change::removed:
      return {"- ", Role::kBad};
    case Change::changed:
      return {"~ ", Role::kLimited};
    default:
      return {"? ", Role::kFaint};
  }
}

class DiffPrinter {
 public:
  DiffPrinter(const Presentation& presentation, Writer* out)
      : presentation_(presentation), out_(out) {}

  void Print(const SnapshotDiff& diff) {
    if (diff.changes().empty()) return;
    PrintSide("--- ", diff.before());
    PrintSide("+++ ", diff.after());
    for (const Change& change : diff.changes()) PrintChange(change);
  }

 private:
  void PrintSide(absl::string_view sign, const SnapshotDiff::Side& side) {
    PrintLine(sign, Role::kHeading,
              absl::StrCat(side.name().empty() ? "live" : side.name(), " ",
                           google::protobuf::util::TimeUtil::ToString(side.taken_at())));
  }

  static std::string TextOf(const Change& change) {
    if (change.has_process()) {
      return absl::StrCat("process ", Quoted(change.process().name()), " (",
                          PidText(change.process()), ")");
    }
    if (!change.has_namespace_()) return absl::StrCat(change.section(), ": ", change.subject());
    const nsdisc::Namespace& ns = change.namespace_();
    return absl::StrCat(change.subject(),
                        ns.has_ealdorman() ? absl::StrCat(" of process ", ns.ealdorman()) : "");
  }

  void PrintChange(const Change& change) {
    const KindRow row = RowOf(change.kind());
    PrintLine(row.sign, row.role,
              absl::StrCat(TextOf(change), change.reason().empty() ? "" : ": ", change.reason()));
    for (const FieldChange& field : change.fields()) PrintField(field);
  }

  void PrintField(const FieldChange& field) {
    if (field.before_size() <= 1 && field.after_size() <= 1) {
      PrintLine("    ", Role::kPlain,
                absl::StrCat(field.field(), ": ", ValueText(field.before(), field.unknown_before()),
                             " -> ", ValueText(field.after(), field.unknown_after())));
      return;
    }
    PrintLine("    ", Role::kPlain, absl::StrCat(field.field(), ":"));
    PrintValues("      - ", Role::kBad, field.before(), field.unknown_before());
    PrintValues("      + ", Role::kGood, field.after(), field.unknown_after());
  }

  static std::string ValueText(const google::protobuf::RepeatedPtrField<std::string>& values,
                               bool unknown) {
    if (unknown) return "(unknown)";
    if (values.empty()) return "(none)";
    return values[0].empty() ? "\"\"" : values[0];
  }

  void PrintValues(absl::string_view sign, Role role,
                   const google::protobuf::RepeatedPtrField<std::string>& values, bool unknown) {
    if (unknown) PrintLine(sign, role, "(unknown)");
    for (const std::string& value : values) PrintLine(sign, role, value);
  }

  // `text` is stored text.
  void PrintLine(absl::string_view sign, Role role, absl::string_view text) {
    std::string line = absl::StrCat(sign, base::TerminalText(text));
    if (presentation_.width > 0) {
      line = base::TruncateToWidth(line, presentation_.width, presentation_.glyphs->ellipsis);
    }
    out_->Append(absl::StrCat(presentation_.Paint(role, line), "\n"));
  }

  const Presentation& presentation_;
  Writer* out_;
};

}  // namespace

void PrintDiff(const SnapshotDiff& diff, const Presentation& presentation, Writer* out) {
  DiffPrinter(presentation, out).Print(diff);
}

}  // namespace nsctl::cmd
