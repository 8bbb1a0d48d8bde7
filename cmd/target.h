// What commands are pointed at: a process, a namespace, a container or a path, as users spell it,
// with or without a file inside of it.
//
//   TARGET:                                        TARGET:PATH:
//   1234  pid:1234                                 1234:/etc/hosts
//   1234:6789  (PID and its pidfd's inode)         1234:6789:/etc/hosts
//   net:[4026531840]  net:4026531840               mnt:[4026531841]:/etc/hosts
//   container:web  docker/web  0123456789ab        container:web:/etc/hosts
//   /run/netns/x  ./x                              /run/snapd/ns/lxd.mnt:/etc/hosts
//
// Arguments are stored text (base/text.h), as commands print it: a backslash is written \\ and any
// byte may be \xHH, a colon that is part of a name \x3a. Other bytes stand for themselves. Parsing
// asks nobody: whether what is named exists is for others to find out.

#ifndef NSCTL_CMD_TARGET_H_
#define NSCTL_CMD_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"

// The forms of a TARGET, as the description of every command that takes one ends.
#define NSCTL_TARGET_HELP                                                               \
  "TARGET is a process (1234, pid:1234, or 1234:INODE with the inode number of\n"       \
  "its pidfd), a namespace (net:[4026531840], net:4026531840), a container\n"           \
  "(container:NAME, ENGINE/NAME, PROJECT/NAME, POD/NAME, or 12 or more digits of\n"     \
  "its ID) or a path that\n"                                                            \
  "begins with / or a dot (/run/netns/x, ./x). Within it \\x3a is a colon and \\\\ a\n" \
  "backslash."

namespace nsctl::cmd {

struct ProcessTarget {
  // 1 to 4194304, the most that any kernel deals.
  base::Pid pid;
  // Only the process whose pidfd has this inode number.
  std::optional<uint64_t> pidfd_inode = std::nullopt;
  // Only the process that started then (proc_pid_stat(5), field 22). No spelling has it: it comes
  // with processes that somebody else named.
  std::optional<uint64_t> start_time = std::nullopt;

  friend bool operator==(const ProcessTarget&, const ProcessTarget&) = default;
};

struct NamespaceTarget {
  base::NamespaceType type;
  uint32_t inode;

  friend bool operator==(const NamespaceTarget&, const NamespaceTarget&) = default;
};

// A container by its name, which may have more words and slashes in it; `engine` is the first word,
// which may be that of a project or pod as well, and empty where any will do. Both are bytes.
struct ContainerTarget {
  std::string engine;
  std::string name;

  friend bool operator==(const ContainerTarget&, const ContainerTarget&) = default;
};

// 12 to 64 lower-case hex digits with which a container's ID begins.
struct ContainerIdTarget {
  std::string id_prefix;

  friend bool operator==(const ContainerIdTarget&, const ContainerIdTarget&) = default;
};

// Bytes without NUL that begin with "/" or ".".
struct PathTarget {
  std::string path;

  friend bool operator==(const PathTarget&, const PathTarget&) = default;
};

using Target =
    std::variant<ProcessTarget, NamespaceTarget, ContainerTarget, ContainerIdTarget, PathTarget>;

// `argument` as a TARGET and nothing more. Digits alone are a PID where there are fewer than 12 of
// them; "pid:N" is a process where N may be a PID, else a PID namespace. Errors: UsageError that
// says which forms there are.
absl::StatusOr<Target> ParseTarget(absl::string_view argument);

struct TargetPath {
  Target target;
  // Bytes without NUL, not empty.
  std::string path;

  friend bool operator==(const TargetPath&, const TargetPath&) = default;
};

// `argument` as TARGET:PATH. The target is the longest beginning that has the form of one, so
// "1234:5678" is a process with its pidfd's inode, and "1234:/5678" a file; a path or name ends at
// the first colon that is not written \x3a. PATH needs no slash at its beginning; none at all, with
// or without the colon, is "/". Errors: as above.
absl::StatusOr<TargetPath> ParseTargetPath(absl::string_view argument);

// The shortest spelling, as stored text; ParseTarget gives `target` back.
std::string ToString(const Target& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_H_
