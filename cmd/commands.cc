#include "cmd/commands.h"

#include "cmd/caps_command.h"
#include "cmd/completion_command.h"
#include "cmd/containers_command.h"
#include "cmd/diff_command.h"
#include "cmd/doctor_command.h"
#include "cmd/exec_command.h"
#include "cmd/fs_command.h"
#include "cmd/help_command.h"
#include "cmd/inspect_command.h"
#include "cmd/list_command.h"
#include "cmd/mounts_command.h"
#include "cmd/ps_command.h"
#include "cmd/snapshot_command.h"
#include "cmd/tree_command.h"
#include "cmd/version_command.h"
#include "cmd/watch_command.h"
#include "cmd/why_command.h"

namespace nsctl::cmd {

absl::Span<const CommandEntry> AllCommands() {
  static const CommandEntry kCommands[] = {
      kListCommand,       kTreeCommand,     kPsCommand,   kCapsCommand,   kInspectCommand,
      kWhyCommand,        kMountsCommand,   kFsCommand,   kExecCommand,   kContainersCommand,
      kWatchCommand,      kSnapshotCommand, kDiffCommand, kDoctorCommand, kVersionCommand,
      kCompletionCommand, kHelpCommand,
  };
  return kCommands;
}

}  // namespace nsctl::cmd
