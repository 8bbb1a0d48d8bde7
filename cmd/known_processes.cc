#include "cmd/known_processes.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/namespace_type.h"
#include "base/text.h"
#include "engines/process_table.h"
#include "nsdisc/discover.h"
#include "nsdisc/process.pb.h"

namespace nsctl::cmd {
namespace {

// What the scanner encoded itself always decodes.
std::string BytesOf(const std::string& text) { return base::DecodeText(text).value_or(text); }

}  // namespace

std::vector<engines::KnownProcess> KnownProcesses(const nsdisc::ProcessReadings& read) {
  std::vector<engines::KnownProcess> processes;
  processes.reserve(static_cast<size_t>(read.processes.size()));
  for (const nsdisc::Process& process : read.processes) {
    if (process.state().empty()) continue;
    engines::KnownProcess& known = processes.emplace_back();
    known.process = {.pid = base::Pid{process.pid()},
                     .parent = base::Pid{process.parent_pid()},
                     .start_time = process.start_time(),
                     .name = BytesOf(process.name()),
                     .kernel_thread = process.kernel_thread(),
                     .zombie = process.state() == "Z" || process.state() == "X"};
    if (process.has_cgroups()) known.cgroup = read.cgroups[process.cgroups()];
    known.has_sockets = !std::binary_search(read.without_sockets.begin(),
                                            read.without_sockets.end(), process.pid());
    if (process.command_line_size() > 0 && engines::MayNeedArguments(known)) {
      std::vector<std::string>& arguments = known.arguments.emplace();
      for (const std::string& argument : process.command_line()) {
        arguments.push_back(BytesOf(argument));
      }
    }
  }
  return processes;
}

}  // namespace nsctl::cmd
