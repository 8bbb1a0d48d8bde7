// What is read of a process's stat, status, cgroup and command line is in the text that it was read
// from, an error is one line that nothing can forge, and cgroups turn back into their text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "nsdisc/cgroup_table.h"
#include "nsdisc/process.pb.h"
#include "procfsroot/process_files.h"

namespace {

using nsctl::procfsroot::CgroupLine;

bool IsWithin(absl::string_view part, absl::string_view text) {
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

// One line of printable text, of a bounded length.
void CheckError(const absl::Status& status) {
  const std::string message(status.message());
  if (nsctl::base::TerminalText(message) != message || message.size() > 1000) abort();
}

void CheckStat(absl::string_view text) {
  const auto fields = nsctl::procfsroot::ParseStat(text);
  if (!fields.ok()) return CheckError(fields.status());
  if (!IsWithin(fields->name, text)) abort();
  // A name with a parenthesis of its own cannot move the fields behind it.
  const size_t end = static_cast<size_t>(fields->name.data() - text.data()) + fields->name.size();
  if (text.substr(end).find(')') != 0 || text.rfind(')') != end) abort();
}

void CheckStatus(absl::string_view text) {
  const auto fields = nsctl::procfsroot::ParseStatus(text);
  if (!fields.ok()) return CheckError(fields.status());
  if (!IsWithin(fields->namespaced_pids, text)) abort();
  std::string list;
  const auto add = [&](nsctl::base::Pid pid) {
    if (pid.value < 0) abort();
    absl::StrAppend(&list, pid.value, "\t");
  };
  if (!nsctl::procfsroot::ForEachNamespacedPid(fields->namespaced_pids, add)) return;
  const std::string first = list;
  list.clear();
  if (!nsctl::procfsroot::ForEachNamespacedPid(first, add) || list != first) abort();
}

void CheckCgroup(absl::string_view text) {
  std::string again;
  int unified = 0;
  int v1 = 0;
  const absl::Status status = nsctl::procfsroot::ParseCgroup(text, [&](const CgroupLine& line) {
    if (!IsWithin(line.controllers, text) || !IsWithin(line.path, text)) abort();
    absl::StrAppend(&again, line.hierarchy, ":", line.controllers, ":", line.path, "\n");
    ++(line.hierarchy == 0 ? unified : v1);
  });
  if (!status.ok()) CheckError(status);
  std::string twice;
  const auto append = [&](const CgroupLine& line) {
    absl::StrAppend(&twice, line.hierarchy, ":", line.controllers, ":", line.path, "\n");
  };
  if (!nsctl::procfsroot::ParseCgroup(again, append).ok() || twice != again) abort();

  nsctl::nsdisc::Cgroups cgroups;
  if (nsctl::nsdisc::ParseCgroups(text, &cgroups) != status.ok()) abort();
  if (cgroups.v1_size() != v1 || cgroups.has_unified() != (unified > 0)) abort();
  if (!cgroups.SerializeAsString().empty() != (v1 > 0 || unified > 0)) abort();
}

void CheckArguments(absl::string_view text) {
  std::string again;
  nsctl::procfsroot::ForEachArgument(text, [&](absl::string_view argument) {
    again.append(argument.data(), argument.size());
    again.push_back('\0');
  });
  // A last argument may lack its NUL.
  if (!text.empty() && text.back() != '\0') again.pop_back();
  if (again != text) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data),
                               std::min<size_t>(size, 64 << 10));
  CheckStat(text);
  CheckStatus(text);
  CheckCgroup(text);
  CheckArguments(text);
  return 0;
}
