#include "cmd/exec_containers.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/ask_apart.h"
#include "cmd/container_search.h"
#include "cmd/container_target.h"
#include "cmd/system.h"
#include "cmd/target.h"
#include "cmd/writer.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

constexpr char kCommand[] = "exec";
// Beyond what engines are waited for: to find them.
constexpr absl::Duration kMargin = absl::Seconds(8);

std::string Number(std::optional<uint64_t> number) {
  return number.has_value() ? absl::StrCat(*number) : "-";
}

std::optional<uint64_t> ParseNumber(absl::string_view word) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) return std::nullopt;
  return number;
}

// One line, without its end. A container is a process once it is found.
std::string LineOf(const std::string& word, const absl::StatusOr<Target>& found) {
  if (!found.ok()) {
    return absl::StrCat(absl::CEscape(word), "\t", static_cast<int>(found.status().code()), "\t",
                        absl::CEscape(found.status().message()));
  }
  const auto& process = std::get<ProcessTarget>(*found);
  return absl::StrCat(absl::CEscape(word), "\t0\t", process.pid.value, "\t",
                      Number(process.pidfd_inode), "\t", Number(process.start_time));
}

void TakeLine(absl::string_view line, ExecContainers* found) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, '\t');
  std::string target, message;
  int code = 0;
  if (words.size() < 3 || !absl::CUnescape(words[0], &target) ||
      !absl::SimpleAtoi(words[1], &code)) {
    return;
  }
  if (code != 0) {
    if (!absl::CUnescape(words[2], &message)) return;
    found->emplace(target, absl::Status(static_cast<absl::StatusCode>(code), message));
    return;
  }
  ProcessTarget process;
  if (words.size() != 5 || !absl::SimpleAtoi(words[2], &process.pid.value)) return;
  process.pidfd_inode = ParseNumber(words[3]);
  process.start_time = ParseNumber(words[4]);
  found->emplace(target, process);
}

// A PID namespace was made for the children of this process, none of which was born yet: the first
// one must be the command, as no other can come once it has ended.
bool AwaitsFirstChild(System* system) {
  constexpr auto kPid = static_cast<size_t>(base::NamespaceType::kPid);
  const absl::StatusOr<procfsroot::Procfs> procfs = system->OpenProcfs("");
  if (!procfs.ok()) return false;
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs->OpenSelf();
  return self.ok() && self->ReadNamespaceLinks().for_children[kPid].error == ENOENT;
}

std::string Find(const std::vector<Target>& targets, absl::Duration wait, Environment& env) {
  StringWriter err;
  Environment apart = env;
  apart.err = &err;
  ContainerTargets containers(kCommand, &apart, wait);
  std::string lines;
  for (const Target& target : targets) {
    absl::StrAppend(&lines, LineOf(ToString(target), containers.ResolveToRun(target)), "\n");
  }
  // An empty line is between what was found and what is to be told.
  return absl::StrCat(lines, "\n", err.text());
}

}  // namespace

void LeaveOutHeld(const ExecSettings& settings, Environment& env) {
  const auto is_id = [](const std::string& value) { return !value.empty() && value[0] == ':'; };
  bool all = std::any_of(settings.namespaces.begin(), settings.namespaces.end(), is_id);
  std::vector<base::Pid> pids;
  for (const std::string& word : settings.targets) {
    const absl::StatusOr<Target> target = ParseTarget(word);
    if (!target.ok()) continue;
    if (const auto* process = std::get_if<ProcessTarget>(&*target)) {
      pids.push_back(process->pid);
    } else if (!std::holds_alternative<PathTarget>(*target)) {
      all = true;
    }
  }
  if (all) pids.clear();
  if ((all || !pids.empty()) && !AwaitsFirstChild(env.system)) env.system->LeaveOutHeld(pids);
}

absl::StatusOr<ExecContainers> FindExecContainers(const ExecSettings& settings, absl::Duration wait,
                                                  Environment& env) {
  std::vector<Target> targets;
  for (const std::string& word : settings.targets) {
    const absl::StatusOr<Target> target = ParseTarget(word);
    if (target.ok() && IsContainer(*target)) targets.push_back(*target);
  }
  ExecContainers found;
  if (targets.empty()) return found;
  std::string answer;
  if (AwaitsFirstChild(env.system)) {
    answer = Find(targets, wait, env);
  } else {
    NSCTL_ASSIGN_OR_RETURN(answer, AskApart("find containers", wait + kMargin, {},
                                            [&] { return Find(targets, wait, env); }));
  }
  const size_t end = answer.find("\n\n");
  if (end == std::string::npos) return absl::InternalError("find containers: no answer");
  for (const absl::string_view line : absl::StrSplit(answer.substr(0, end), '\n')) {
    TakeLine(line, &found);
  }
  env.err->Append(absl::string_view(answer).substr(end + 2));
  (void)env.err->Flush();
  return found;
}

}  // namespace nsctl::cmd
