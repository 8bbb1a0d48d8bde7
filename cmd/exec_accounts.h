// Users and groups by the text of passwd(5) and group(5): no name service is asked, since it would
// be the other side's.

#ifndef NSCTL_CMD_EXEC_ACCOUNTS_H_
#define NSCTL_CMD_EXEC_ACCOUNTS_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

struct UserAccount {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  // Empty where the account has none.
  std::string shell;

  friend bool operator==(const UserAccount&, const UserAccount&) = default;
};

// The first that matches; lines that are no account are passed over, as the C library does.
std::optional<UserAccount> FindUser(absl::string_view passwd, absl::string_view name);
std::optional<UserAccount> FindUser(absl::string_view passwd, uid_t uid);
std::optional<gid_t> FindGroup(absl::string_view group, absl::string_view name);

// `text` as a uid or gid: digits alone, below 2^32 - 1, which stands for "unchanged".
std::optional<uint32_t> ParseAccountNumber(absl::string_view text);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_ACCOUNTS_H_
