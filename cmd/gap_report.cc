#include "cmd/gap_report.h"

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "cmd/diagnostics.h"
#include "engines/container.pb.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Gap;

constexpr size_t kMostLines = 20;

struct SubjectKind {
  const char* one;
  const char* many;
};

// The kind of "pid:1", "net:[4026531840]", "cgroup:/a"; nullptr for those that are named each: of
// which there is but one, and engines.
const SubjectKind* KindOf(absl::string_view subject) {
  static constexpr SubjectKind kProcess = {"process", "processes"};
  static constexpr SubjectKind kThread = {"thread", "threads"};
  static constexpr SubjectKind kNamespace = {"namespace", "namespaces"};
  static constexpr SubjectKind kCgroup = {"cgroup", "cgroups"};
  static constexpr SubjectKind kFile = {"file", "files"};
  static constexpr SubjectKind kOther = {"subject", "subjects"};
  const size_t colon = subject.find(':');
  if (colon == absl::string_view::npos) return nullptr;
  const absl::string_view prefix = subject.substr(0, colon);
  // Each engine is named, as are sockets, by their paths.
  engines::Engine::Type type;
  if (engines::Engine::Type_Parse(std::string(prefix), &type)) return nullptr;
  // First, because "pid:[4026531836]" is one as well.
  if (base::ParseNamespaceLinkText(subject).has_value()) return &kNamespace;
  if (prefix == "pid") return &kProcess;
  if (prefix == "tid") return &kThread;
  if (prefix == "file") return &kFile;
  return prefix == "cgroup" ? &kCgroup : &kOther;
}

struct Group {
  const Gap* first;
  const SubjectKind* kind;
  uint64_t subjects;
};

std::string Describe(const Group& group) {
  const Gap& gap = *group.first;
  std::string who = gap.subject();
  if (group.kind != nullptr && group.subjects == 1) {
    who = absl::StrCat("1 ", group.kind->one, " (", gap.subject(), ")");
  } else if (group.kind != nullptr) {
    who = absl::StrCat(group.subjects, " ", group.kind->many, " (first ", gap.subject(), ")");
  }
  return absl::StrCat("missing: ", who, ": ", gap.operation(), ": ", gap.error(), ": ",
                      gap.consequence());
}

}  // namespace

std::vector<std::string> DescribeGaps(const Gaps& gaps) {
  using Key = std::tuple<const SubjectKind*, absl::string_view, absl::string_view,
                         absl::string_view, absl::string_view>;
  std::vector<Group> groups;
  absl::flat_hash_map<Key, size_t> positions;
  for (const Gap& gap : gaps) {
    const SubjectKind* kind = KindOf(gap.subject());
    const absl::string_view subject = kind == nullptr ? gap.subject() : absl::string_view();
    const auto [position, is_new] = positions.try_emplace(
        Key(kind, subject, gap.operation(), gap.error(), gap.consequence()), groups.size());
    if (is_new) groups.push_back({&gap, kind, 0});
    ++groups[position->second].subjects;
  }

  std::vector<std::string> lines;
  for (const Group& group : groups) {
    if (lines.size() == kMostLines) {
      lines.push_back(absl::StrCat("missing: ", groups.size() - kMostLines,
                                   " more kinds of gaps: see the field gaps of -o json"));
      break;
    }
    lines.push_back(Describe(group));
  }
  return lines;
}

ExitStatus FinishWithGaps(Environment& env, absl::string_view command, const Gaps& gaps,
                          bool strict) {
  // The result stands before the remarks on it. A failure is reported by the caller of the command.
  if (!env.out->Flush().ok()) return ExitStatus::kFailed;
  for (const std::string& line : DescribeGaps(gaps)) Complain(env, command, line);
  return strict && !gaps.empty() ? ExitStatus::kGaps : ExitStatus::kDone;
}

}  // namespace nsctl::cmd
