#include "engines/cgroup_names.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engines/container.h"

namespace nsctl::engines {
namespace {

constexpr size_t kIdSize = 64;
constexpr size_t kUidSize = 36;

bool IsId(absl::string_view text) {
  return text.size() == kIdSize && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// What stands before an id, with systemd's ".scope" behind it or not.
struct Prefix {
  const char* text;
  Engine::Type type;
};
constexpr Prefix kPrefixes[] = {
    {"docker-", Engine::docker},      {"libpod-", Engine::podman},      {"crio-", Engine::crio},
    {"cri-containerd-", Engine::cri}, {"nerdctl-", Engine::containerd},
};

// systemd writes what it does not want in names as "\x2d".
std::string WithoutEscapes(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (absl::StartsWith(text, "\\x") && text.size() >= 4 &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[2])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[3]))) {
      result += absl::HexStringToBytes(text.substr(2, 2));
      text.remove_prefix(4);
    } else {
      result += text[0];
      text.remove_prefix(1);
    }
  }
  return result;
}

// "pod2f3e...", "kubepods-besteffort-pod2f3e_....slice": the uid, or nothing.
std::string PodUid(absl::string_view component) {
  absl::ConsumeSuffix(&component, ".slice");
  const size_t at = component.rfind("pod");
  if (at == absl::string_view::npos) return "";
  if (at != 0 && component[at - 1] != '-') return "";
  std::string uid(component.substr(at + 3));
  std::replace(uid.begin(), uid.end(), '_', '-');
  // Pods that the node itself defines have 32 digits.
  if (uid.size() != kUidSize && uid.size() != 32) return "";
  const bool fine = std::all_of(uid.begin(), uid.end(), [](char c) {
    return c == '-' || absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
  return fine ? uid : "";
}

// `name` is a cgroup's, `above` that of the one above it.
std::optional<std::pair<Engine::Type, std::string>> Match(absl::string_view name,
                                                          absl::string_view above) {
  absl::string_view bare = name;
  const bool is_scope = absl::ConsumeSuffix(&bare, ".scope");
  for (const Prefix& prefix : kPrefixes) {
    absl::string_view id = bare;
    if (absl::ConsumePrefix(&id, prefix.text) && IsId(id)) {
      return std::make_pair(prefix.type, std::string(id));
    }
  }
  if (IsId(name)) {
    const Engine::Type type = above == "docker"        ? Engine::docker
                              : !PodUid(above).empty() ? Engine::cri
                                                       : Engine::unspecified;
    return std::make_pair(type, std::string(name));
  }
  absl::string_view rest = name;
  if (absl::ConsumePrefix(&rest, "lxc.payload.") && !rest.empty()) {
    return std::make_pair(Engine::lxc, std::string(rest));
  }
  rest = bare;
  if (is_scope && absl::ConsumePrefix(&rest, "machine-") && !rest.empty()) {
    return std::make_pair(Engine::nspawn, WithoutEscapes(rest));
  }
  // LXC before 4.0.
  if (above == "lxc" && !name.empty()) return std::make_pair(Engine::lxc, std::string(name));
  return std::nullopt;
}

}  // namespace

std::optional<CgroupName> ParseCgroupName(absl::string_view path) {
  const std::vector<absl::string_view> components = absl::StrSplit(path, '/');
  for (size_t i = components.size(); i-- > 0;) {
    const absl::string_view above = i > 0 ? components[i - 1] : "";
    auto match = Match(components[i], above);
    if (!match.has_value()) continue;
    CgroupName name;
    name.type = match->first;
    name.id = std::move(match->second);
    name.pod_uid = PodUid(above);
    const char* const end = components[i].data() + components[i].size();
    name.path = std::string(path.data(), end);
    return name;
  }
  return std::nullopt;
}

}  // namespace nsctl::engines
