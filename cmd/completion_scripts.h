// Completion scripts for shells.

#ifndef NSCTL_CMD_COMPLETION_SCRIPTS_H_
#define NSCTL_CMD_COMPLETION_SCRIPTS_H_

#include <string>
#include <vector>

#include "cmd/completion_model.h"

namespace nsctl::cmd {

// For `source <(nsctl completion bash)`. Needs bash 4 and nothing else.
std::string BashCompletion(const std::vector<CompletionCommand>& commands);

// For a file _nsctl in $fpath, or `source <(nsctl completion zsh)` after compinit.
std::string ZshCompletion(const std::vector<CompletionCommand>& commands);

// For ~/.config/fish/completions/nsctl.fish.
std::string FishCompletion(const std::vector<CompletionCommand>& commands);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMPLETION_SCRIPTS_H_
