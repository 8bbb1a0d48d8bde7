#include "cmd/labels.h"

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

constexpr size_t kIdLength = 64;
constexpr size_t kShortIdLength = 12;

}  // namespace

std::string TypeText(const nsdisc::Namespace& ns) {
  const std::optional<base::NamespaceType> type = nsdisc::FromProto(ns.type());
  return type.has_value() ? base::InfoOf(*type).name : "?";
}

std::string NamespaceText(const nsdisc::Namespace& ns) {
  return absl::StrCat(TypeText(ns), ":[", ns.inode(), "]");
}

std::string CommandText(const nsdisc::Process& process) {
  if (process.state() == "Z") return absl::StrCat(process.name(), " <defunct>");
  if (process.kernel_thread()) return absl::StrCat("[", process.name(), "]");
  if (process.command_line().empty()) return process.name();
  return absl::StrJoin(process.command_line(), " ");
}

std::string UserText(const nsdisc::Process& process) {
  if (process.has_user()) return process.user();
  return process.has_uid() ? absl::StrCat(process.uid()) : "";
}

std::string PidText(const nsdisc::Process& process) {
  if (process.namespaced_pids().empty()) return absl::StrCat(process.pid());
  return absl::StrJoin(process.namespaced_pids(), "/");
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(base::TerminalText(text), {{"\"", "\\x22"}}), "\"");
}

std::string ShortenIds(absl::string_view text, absl::string_view ellipsis) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && absl::ascii_isxdigit(text[end])) ++end;
    if (end == i) {
      out.push_back(text[i++]);
      continue;
    }
    const bool is_id = end - i == kIdLength;
    absl::StrAppend(&out, text.substr(i, is_id ? kShortIdLength : end - i), is_id ? ellipsis : "");
    i = end;
  }
  return out;
}

}  // namespace nsctl::cmd
