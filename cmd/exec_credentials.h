// Changes who the calling process is, by system calls alone, on its way to a command.

#ifndef NSCTL_CMD_EXEC_CREDENTIALS_H_
#define NSCTL_CMD_EXEC_CREDENTIALS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace nsctl::cmd {

// One bit for each capability.
struct CapabilitySets {
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t bounding = 0;
  uint64_t ambient = 0;

  friend bool operator==(const CapabilitySets&, const CapabilitySets&) = default;
};

// What is absent stays as it is. Ids are those of the user namespace that was entered.
struct Credentials {
  std::optional<uid_t> uid = std::nullopt;
  std::optional<gid_t> gid = std::nullopt;
  // The supplementary groups.
  std::optional<std::vector<gid_t>> groups = std::nullopt;
  // They are dropped before the entry as well, and it is enough where one of both succeeds: a user
  // namespace may forbid setgroups(2).
  bool drop_groups_early = false;
  // Nobody asked for them to be dropped: where it is forbidden throughout they stay.
  bool may_keep_groups = false;
  // All capabilities stay, whatever the uid is: they become ambient.
  bool keep_capabilities = false;
  std::optional<CapabilitySets> capabilities = std::nullopt;
  bool no_new_privileges = false;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// The steps whose failure says which capability is missing, or which id is not mapped.
inline constexpr char kSetGroups[] = "setgroups";
inline constexpr char kSetGid[] = "setgid";
inline constexpr char kSetUid[] = "setuid";

// What failed, and its errno; `step` is nullptr where nothing did.
struct CredentialFailure {
  const char* step = nullptr;
  int error = 0;
  // Supplementary groups have stayed though they were to go (may_keep_groups).
  bool groups_stay = false;
};

// `groups_dropped`: the early attempt has succeeded.
CredentialFailure ApplyCredentials(const Credentials& credentials, bool groups_dropped);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_CREDENTIALS_H_
