// What systemd-machined says of machines, as values of ours. Pure.
//
// Virtual machines and the host itself are no containers.

#ifndef NSCTL_ENGINES_MACHINED_MACHINED_MESSAGES_H_
#define NSCTL_ENGINES_MACHINED_MACHINED_MESSAGES_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::machined {

// A reply's parameters of io.systemd.Machine.List (systemd 256 and later; the leader was a number
// at first). nullopt for what is no container or has no name.
std::optional<EngineRow> RowOfMachine(const Json& parameters);

// The file /run/systemd/machines/NAME, in which machined keeps its state over its own restarts.
// nullopt as above. Source: systemd, machine.c, machine_save; of all versions since 206.
std::optional<EngineRow> RowOfStateFile(absl::string_view text);

}  // namespace nsctl::engines::machined

#endif  // NSCTL_ENGINES_MACHINED_MACHINED_MESSAGES_H_
