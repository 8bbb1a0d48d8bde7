// What LXC's monitors say at their command sockets, as values of ours. Pure: bytes in, rows out.
//
// A message is a C structure in the byte order of the machine, followed by text. Source: liblxc 2.0
// to 6.0, commands.h; the numbers of commands were never changed.

#ifndef NSCTL_ENGINES_LXC_LXC_MESSAGES_H_
#define NSCTL_ENGINES_LXC_LXC_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/engine_client.h"

namespace nsctl::engines::lxc {

enum class Command : int32_t {
  kGetState = 3,
  kGetInitPid = 4,
  kGetConfigItem = 7,
};

inline constexpr size_t kReplyHeadSize = 16;

std::string RequestOf(Command command, absl::string_view payload);

// Without the text that follows.
struct ReplyHead {
  int32_t result = 0;
  // A number, or an address in the monitor that says nothing.
  int64_t value = 0;
  // Of the text.
  size_t size = 0;
};
// DATA_LOSS where `bytes` are not kReplyHeadSize, or say a size that no text has.
absl::StatusOr<ReplyHead> ParseReplyHead(absl::string_view bytes);

// The name of a container's command socket in the abstract space.
std::string SocketName(absl::string_view path, absl::string_view name);

// What a monitor was asked, as bytes.
struct Facts {
  std::string name;
  int64_t state = 0;
  // As the monitor counts.
  int64_t init_pid = 0;
  // By its name; those that are set.
  std::map<std::string, std::string> config;
};
// What RowOf reads of the configuration.
inline constexpr const char* kConfigItems[] = {"lxc.idmap", "lxc.rootfs.path", "lxc.uts.name",
                                               "lxc.group"};

// The container's name is its id: unique in the folder that the engine stands for.
EngineRow RowOf(const Facts& facts);

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_MESSAGES_H_
