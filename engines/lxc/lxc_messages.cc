#include "engines/lxc/lxc_messages.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/container_state.h"
#include "engines/engine_client.h"

namespace nsctl::engines::lxc {
namespace {

// sun_path of unix(7), less the NUL that begins an abstract name.
constexpr size_t kLongestName = 107;
constexpr size_t kMaxText = 1 << 16;

struct RawRequest {
  int32_t command = 0;
  int32_t size = 0;
  // An address in the asking program.
  uint64_t data = 0;
};

struct RawReply {
  int32_t result = 0;
  int32_t size = 0;
  int64_t data = 0;
};
static_assert(sizeof(RawReply) == kReplyHeadSize);

// FNV-1a.
uint64_t HashOf(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace

std::string RequestOf(Command command, absl::string_view payload) {
  const RawRequest request = {.command = static_cast<int32_t>(command),
                              .size = static_cast<int32_t>(payload.size())};
  return absl::StrCat(absl::string_view(reinterpret_cast<const char*>(&request), sizeof(request)),
                      payload);
}

absl::StatusOr<ReplyHead> ParseReplyHead(absl::string_view bytes) {
  RawReply reply;
  if (bytes.size() != sizeof(reply)) return absl::DataLossError("the answer is cut short");
  memcpy(&reply, bytes.data(), sizeof(reply));
  if (reply.size < 0 || static_cast<size_t>(reply.size) > kMaxText) {
    return absl::DataLossError("the answer has an impossible size");
  }
  return ReplyHead{
      .result = reply.result, .value = reply.data, .size = static_cast<size_t>(reply.size)};
}

std::string SocketName(absl::string_view path, absl::string_view name) {
  std::string whole = absl::StrCat(path, "/", name, "/command");
  if (whole.size() < kLongestName) return whole;
  return absl::StrFormat("lxc/%016x/command", HashOf(absl::StrCat(path, "/", name)));
}

EngineRow RowOf(const Facts& facts) {
  EngineRow row;
  Container& container = row.container;
  container.set_id(base::EncodeText(facts.name));
  container.set_name(container.id());
  container.set_state(StateFromLxc(facts.state));
  container.set_engine_pid(facts.init_pid);
  container.set_runtime("lxc");
  // Root in it is root outside.
  container.set_privileged(!facts.config.contains("lxc.idmap"));
  for (const auto& [item, value] : facts.config) {
    // One line for each value that the item has.
    const std::string line = absl::StrReplaceAll(absl::StripAsciiWhitespace(value), {{"\n", ","}});
    SetLabel(base::EncodeText(item), base::EncodeText(line), container.mutable_annotations());
  }
  return row;
}

}  // namespace nsctl::engines::lxc
