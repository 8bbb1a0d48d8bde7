#include "cmd/unseen_holders.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cmd/gap_report.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::SourceReport;

// Which holders a source shows.
struct Source {
  SourceReport::Source source;
  const char* what;
  // Of network namespaces, and of user namespaces, which own those.
  bool net_only;
  // Of namespaces that have children or own others.
  bool relatives_only;
};

constexpr Source kSources[] = {
    {SourceReport::threads, "threads", false, false},
    {SourceReport::fds, "descriptors", false, false},
    {SourceReport::sockets, "sockets", true, false},
    {SourceReport::bind_mounts, "bind mounts", false, false},
    {SourceReport::mount_namespace_list, "mount namespaces that nothing in sight holds", false,
     false},
    {SourceReport::namespace_list, "namespaces that nothing in sight holds", false, true},
};

bool HasRelatives(NamespaceType type) {
  return type == NamespaceType::kUser || type == NamespaceType::kPid;
}

bool HasSockets(NamespaceType type) {
  return type == NamespaceType::kNet || type == NamespaceType::kUser;
}

// A snapshot that has no report of a source was taken without it.
SourceReport::State StateOf(const nsdisc::Snapshot& snapshot, SourceReport::Source source) {
  for (const SourceReport& report : snapshot.statistics().sources()) {
    if (report.source() == source) return report.state();
  }
  return SourceReport::off;
}

}  // namespace

bool MayHideHolders(const nsdisc::Gap& gap, NamespaceType type) {
  const std::string& lost = gap.consequence();
  if (absl::StrContains(lost, "its owner") || absl::StrContains(lost, "its parent")) {
    return HasRelatives(type);
  }
  if (absl::StrContains(lost, "network namespace")) return HasSockets(type);
  for (const char* const words :
       {"namespaces", "descriptors", "taken without", "are hidden", "its number is known"}) {
    if (absl::StrContains(lost, words)) return true;
  }
  return false;
}

std::vector<std::string> DescribeUnseen(const nsdisc::Snapshot& snapshot, NamespaceType type) {
  std::vector<std::string> lines;
  for (const Source& source : kSources) {
    if (source.net_only && !HasSockets(type)) continue;
    if (source.relatives_only && !HasRelatives(type)) continue;
    const SourceReport::State state = StateOf(snapshot, source.source);
    if (state == SourceReport::used) continue;
    lines.push_back(absl::StrCat(source.what, state == SourceReport::off
                                                  ? " were not looked at"
                                                  : " could not be looked at"));
  }
  Gaps gaps;
  for (const nsdisc::Gap& gap : snapshot.gaps()) {
    if (MayHideHolders(gap, type)) *gaps.Add() = gap;
  }
  for (std::string& line : DescribeGaps(gaps)) lines.push_back(std::move(line));
  if (snapshot.statistics().ended_pidfds() > 0 && HasRelatives(type)) {
    lines.push_back(absl::StrCat("pidfds of ended processes, which keep PID namespaces: ",
                                 snapshot.statistics().ended_pidfds()));
  }
  return lines;
}

}  // namespace nsctl::cmd
