#include "cmd/ps_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using Row = ProcessTree::Row;

constexpr uint32_t kDeepestDrawn = 100;

// For each row whether it is the last of its siblings.
std::vector<bool> FindLastSiblings(const ProcessTree& tree) {
  std::vector<bool> is_last(static_cast<size_t>(tree.rows_size()));
  // By depth: a sibling of the row at hand comes after it.
  std::vector<bool> has_later;
  for (int i = tree.rows_size() - 1; i >= 0; --i) {
    const size_t depth = tree.rows(i).depth();
    has_later.resize(depth + 1);
    is_last[static_cast<size_t>(i)] = !has_later[depth];
    has_later[depth] = true;
  }
  return is_last;
}

std::string NumbersText(const Row& row) {
  return absl::StrJoin(row.pids(), "/", [](std::string* out, const ProcessTree::Number& number) {
    absl::StrAppend(out, number.pid());
  });
}

class PsPrinter {
 public:
  PsPrinter(const Presentation& presentation, Writer* out)
      : presentation_(presentation), glyphs_(*presentation.glyphs), out_(out) {}

  void Print(const ProcessTree& tree) {
    const std::vector<bool> is_last = FindLastSiblings(tree);
    for (int i = 0; i < tree.rows_size(); ++i) {
      if (tree.rows(i).has_process()) process_ = &tree.rows(i).process();
      PrintRow(tree.rows(i), is_last[static_cast<size_t>(i)]);
    }
  }

 private:
  void PrintRow(const Row& row, bool is_last) {
    const uint32_t depth = std::min(row.depth(), kDeepestDrawn);
    // What stands before the row's own glyph: one piece for each level above, but the first.
    if (depth > 0) pieces_.resize(depth - 1, glyphs_.blank);
    std::string glyphs = depth > 0 ? absl::StrJoin(pieces_, "") : "";
    if (depth > 0) {
      absl::StrAppend(&glyphs, is_last ? glyphs_.last_branch : glyphs_.branch);
      pieces_.push_back(is_last ? glyphs_.blank : glyphs_.line);
    } else {
      pieces_.clear();
    }
    if (row.depth() > kDeepestDrawn) absl::StrAppend(&glyphs, "[level ", row.depth(), "] ");
    PrintLine(glyphs, row);
  }

  void PrintLine(absl::string_view glyphs, const Row& row) {
    std::string name;
    std::string details;
    Role role = Role::kPlain;
    if (row.has_process()) {
      name = absl::StrCat(Quoted(row.process().name()), " (", NumbersText(row), ")");
      details = ProcessDetails(row);
    } else if (row.has_thread()) {
      name = absl::StrCat("thread ", Quoted(row.thread().name()), " [", NumbersText(row), "]");
      details = ThreadDetails(row.thread());
    } else {
      const uint32_t inode = row.pid_namespace().inode();
      name = inode == 0 ? "pid:[?]" : NamespaceText(row.pid_namespace());
      role = Role::kPid;
      details = OwnerText(row);
    }
    std::string line(glyphs);
    if (presentation_.width == 0) {
      absl::StrAppend(&line, presentation_.Paint(role, name), details, "\n");
    } else {
      AppendCut(name, details, role, &line);
    }
    out_->Append(line);
  }

  void AppendCut(absl::string_view name, absl::string_view details, Role role, std::string* line) {
    const size_t width = presentation_.width;
    const size_t indented = base::DisplayWidth(*line);
    // Deeper than the terminal is wide: the end is worth more than the beginning.
    if (indented + 1 > width) *line = absl::StrCat(glyphs_.ellipsis, " ");
    const size_t used = base::DisplayWidth(*line);
    const size_t left = width > used ? width - used : 0;
    const std::string shown = base::TruncateToWidth(name, left, glyphs_.ellipsis);
    const size_t rest = left - std::min(left, base::DisplayWidth(shown));
    absl::StrAppend(line, presentation_.Paint(role, shown),
                    base::TruncateToWidth(details, rest, glyphs_.ellipsis), "\n");
  }

  static std::string OwnerText(const Row& row) {
    if (!row.has_owner() || !row.owner().has_owner_uid()) return "";
    return absl::StrCat(", owned by UID ", row.owner().owner_uid(),
                        row.owner().has_owner_user()
                            ? absl::StrCat(" (", Quoted(row.owner().owner_user()), ")")
                            : "");
  }

  std::string ProcessDetails(const Row& row) const {
    std::string text;
    if (row.process().state() == "Z") text = " <defunct>";
    if (row.has_in_container()) {
      return absl::StrCat(text, " in ", Quoted(LongText(row.in_container())));
    }
    // The root cgroup controls nothing.
    if (row.cgroup().empty() || row.cgroup() == "/") return text;
    const std::string cgroup =
        presentation_.shorten ? ShortenIds(row.cgroup(), glyphs_.ellipsis) : row.cgroup();
    return absl::StrCat(text, " controlled by ", Quoted(cgroup));
  }

  // The namespaces that it is in and its process is not.
  std::string ThreadDetails(const nsdisc::Thread& thread) const {
    std::string text;
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const std::optional<uint32_t> inode = nsdisc::NamespaceOf(thread.namespaces(), info.type);
      if (!inode.has_value()) continue;
      if (inode == nsdisc::NamespaceOf(process_->namespaces(), info.type)) continue;
      absl::StrAppend(&text, text.empty() ? " in " : ", ",
                      base::NamespaceLinkText(info.type, *inode));
    }
    return text;
  }

  const Presentation& presentation_;
  const Glyphs& glyphs_;
  Writer* out_;
  std::vector<const char*> pieces_;
  // The last that was printed: threads come after theirs.
  const nsdisc::Process* process_ = &nsdisc::Process::default_instance();
};

}  // namespace

void PrintProcessTree(const ProcessTree& tree, const Presentation& presentation, Writer* out) {
  PsPrinter(presentation, out).Print(tree);
}

}  // namespace nsctl::cmd
