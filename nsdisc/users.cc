#include "nsdisc/users.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace nsctl::nsdisc {
namespace {

constexpr size_t kMaxName = 256;

// Cuts `*text` at the first `separator`: returns what stands before it and leaves what stands
// after.
absl::string_view TakeUntil(char separator, absl::string_view* text) {
  const size_t end = std::min(text->find(separator), text->size());
  const absl::string_view taken = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return taken;
}

// (uid_t)-1 is no uid: setuid(2) and chown(2) use it for "leave as it is".
std::optional<uid_t> ParseId(absl::string_view text) {
  uint32_t id = 0;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(text, &id) ||
      id == static_cast<uid_t>(-1)) {
    return std::nullopt;
  }
  return id;
}

bool IsName(absl::string_view name) {
  // Names with these first bytes are comments and instructions to NIS (nsswitch.conf(5), "compat").
  return !name.empty() && name.size() <= kMaxName &&
         absl::string_view("#+-").find(name[0]) == absl::string_view::npos;
}

}  // namespace

UserNames ParsePasswd(absl::string_view text) {
  UserNames names;
  while (!text.empty()) {
    absl::string_view line = TakeUntil('\n', &text);
    const absl::string_view name = TakeUntil(':', &line);
    TakeUntil(':', &line);
    const std::optional<uid_t> uid = ParseId(TakeUntil(':', &line));
    const std::optional<uid_t> gid = ParseId(TakeUntil(':', &line));
    if (IsName(name) && uid.has_value() && gid.has_value()) names.try_emplace(*uid, name);
  }
  return names;
}

}  // namespace nsctl::nsdisc
