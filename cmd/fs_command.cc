#include "cmd/fs_command.h"

#include "cmd/fs_cat_command.h"
#include "cmd/fs_cp_command.h"
#include "cmd/fs_ls_command.h"
#include "cmd/fs_operands.h"
#include "cmd/fs_readlink_command.h"
#include "cmd/fs_resolve_command.h"
#include "cmd/fs_stat_command.h"
#include "cmd/target.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = kFs,
    .alias = nullptr,
    .summary = "files as a process or another mount namespace sees them",
    .arguments = "ls|cat|stat|readlink|resolve|cp [options] TARGET:PATH...",
    .description =
        "Looks at files from the root directory of a process, of a mount namespace, or\n"
        "of any directory, without going there. Whatever links, renames and mounts are\n"
        "inside, nothing outside of that root is read, and nothing waits for ever.\n"
        "\n" NSCTL_TARGET_HELP
        "\n"
        "\n"
        "PATH needs no slash at its beginning; without it the root is meant. It has the\n"
        "same escapes, which are those that nsctl prints. 1234:5678 is a process with\n"
        "its INODE: a file 5678 is 1234:/5678.",
    .examples =
        "nsctl fs ls -l 1234:/run\n"
        "nsctl fs cat 1234:/etc/resolv.conf\n"
        "nsctl fs resolve mnt:[4026532401]:/var/run/docker.sock\n"
        "nsctl fs cp -r /run/snapd/ns/lxd.mnt:/etc ./etc-of-it",
    .apart = Apart::kOnce,
};

const CommandEntry kCommands[] = {
    kFsLsCommand,       kFsCatCommand,     kFsStatCommand,
    kFsReadlinkCommand, kFsResolveCommand, kFsCpCommand,
};

}  // namespace

const CommandEntry kFsCommand = {&kInfo, nullptr, kCommands};

}  // namespace nsctl::cmd
