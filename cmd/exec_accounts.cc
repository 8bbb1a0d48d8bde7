#include "cmd/exec_accounts.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_split.h"

namespace nsctl::cmd {
namespace {

using Fields = std::vector<absl::string_view>;

std::optional<UserAccount> ParseUser(const Fields& fields) {
  constexpr size_t kFields = 7;
  if (fields.size() != kFields || fields[0].empty()) return std::nullopt;
  const std::optional<uint32_t> uid = ParseAccountNumber(fields[2]);
  const std::optional<uint32_t> gid = ParseAccountNumber(fields[3]);
  if (!uid.has_value() || !gid.has_value()) return std::nullopt;
  return UserAccount{*uid, *gid, std::string(fields[5]), std::string(fields[6])};
}

std::optional<UserAccount> FindUserIf(
    absl::string_view passwd,
    absl::FunctionRef<bool(absl::string_view name, const UserAccount&)> wanted) {
  for (const absl::string_view line : absl::StrSplit(passwd, '\n')) {
    const Fields fields = absl::StrSplit(line, ':');
    std::optional<UserAccount> user = ParseUser(fields);
    if (user.has_value() && wanted(fields[0], *user)) return user;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint32_t> ParseAccountNumber(absl::string_view text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end || text.empty() || number == UINT32_MAX) {
    return std::nullopt;
  }
  return number;
}

std::optional<UserAccount> FindUser(absl::string_view passwd, absl::string_view name) {
  return FindUserIf(passwd,
                    [&](absl::string_view known, const UserAccount&) { return known == name; });
}

std::optional<UserAccount> FindUser(absl::string_view passwd, uid_t uid) {
  return FindUserIf(passwd,
                    [&](absl::string_view, const UserAccount& user) { return user.uid == uid; });
}

std::optional<gid_t> FindGroup(absl::string_view group, absl::string_view name) {
  constexpr size_t kFields = 4;
  for (const absl::string_view line : absl::StrSplit(group, '\n')) {
    const Fields fields = absl::StrSplit(line, ':');
    if (fields.size() != kFields || fields[0] != name || name.empty()) continue;
    if (const std::optional<uint32_t> gid = ParseAccountNumber(fields[2]); gid.has_value()) {
      return gid;
    }
  }
  return std::nullopt;
}

}  // namespace nsctl::cmd
