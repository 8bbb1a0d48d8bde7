#include "base/namespace_type.h"

#include <sched.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/kernel_abi.h"

namespace nsctl::base {

constexpr std::array<NamespaceTypeInfo, kNamespaceTypeCount> kNamespaceTypes = {{
    {.type = NamespaceType::kMnt,
     .name = "mnt",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWNS,
     .initial_inode = 0xeffffff8,
     .initial_inode_always_fixed = false,
     .hierarchical = false,
     .pidfd_request = 3,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kCgroup,
     .name = "cgroup",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWCGROUP,
     .initial_inode = 0xeffffffb,
     .initial_inode_always_fixed = true,
     .hierarchical = false,
     .pidfd_request = 1,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kUts,
     .name = "uts",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWUTS,
     .initial_inode = 0xeffffffe,
     .initial_inode_always_fixed = true,
     .hierarchical = false,
     .pidfd_request = 10,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kIpc,
     .name = "ipc",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWIPC,
     .initial_inode = 0xefffffff,
     .initial_inode_always_fixed = true,
     .hierarchical = false,
     .pidfd_request = 2,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kUser,
     .name = "user",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWUSER,
     .initial_inode = 0xeffffffd,
     .initial_inode_always_fixed = true,
     .hierarchical = true,
     .pidfd_request = 9,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kPid,
     .name = "pid",
     .for_children_entry = "pid_for_children",
     .clone_flag = CLONE_NEWPID,
     .initial_inode = 0xeffffffc,
     .initial_inode_always_fixed = true,
     .hierarchical = true,
     .pidfd_request = 5,
     .pidfd_for_children_request = 6},
    {.type = NamespaceType::kNet,
     .name = "net",
     .for_children_entry = nullptr,
     .clone_flag = CLONE_NEWNET,
     .initial_inode = 0xeffffff9,
     .initial_inode_always_fixed = false,
     .hierarchical = false,
     .pidfd_request = 4,
     .pidfd_for_children_request = 0},
    {.type = NamespaceType::kTime,
     .name = "time",
     .for_children_entry = "time_for_children",
     .clone_flag = abi::kCloneNewTime,
     .initial_inode = 0xeffffffa,
     .initial_inode_always_fixed = true,
     .hierarchical = false,
     .pidfd_request = 7,
     .pidfd_for_children_request = 8},
}};

namespace {

// Link texts are parsed by the thousand, so names are compared as numbers: their bytes, behind a
// byte that tells lengths apart.
constexpr size_t kMaxName = sizeof(uint64_t) - 1;

constexpr uint64_t KeyOf(absl::string_view name) {
  uint64_t key = 1;
  for (const char c : name) key = key << 8 | static_cast<unsigned char>(c);
  return key;
}

constexpr std::array<uint64_t, kNamespaceTypeCount> kKeys = [] {
  std::array<uint64_t, kNamespaceTypeCount> keys{};
  for (size_t i = 0; i < kNamespaceTypeCount; ++i) keys[i] = KeyOf(kNamespaceTypes[i].name);
  return keys;
}();

}  // namespace

const NamespaceTypeInfo& InfoOf(NamespaceType type) {
  return kNamespaceTypes[static_cast<size_t>(type)];
}

std::optional<NamespaceType> NamespaceTypeFromName(absl::string_view name) {
  if (name.size() > kMaxName) return std::nullopt;
  const uint64_t key = KeyOf(name);
  for (size_t i = 0; i < kNamespaceTypeCount; ++i) {
    if (key == kKeys[i]) return kNamespaceTypes[i].type;
  }
  return std::nullopt;
}

std::optional<NamespaceType> NamespaceTypeFromCloneFlag(uint32_t flag) {
  for (const NamespaceTypeInfo& info : kNamespaceTypes) {
    if (flag == info.clone_flag) return info.type;
  }
  return std::nullopt;
}

std::string NamespaceLinkText(NamespaceType type, uint32_t inode) {
  return absl::StrCat(InfoOf(type).name, ":[", inode, "]");
}

namespace {

// A number as the kernel prints it: digits alone, no leading zero.
std::optional<uint32_t> ParseInode(absl::string_view digits) {
  constexpr size_t kMaxDigits = 10;
  if (digits.empty() || digits.size() > kMaxDigits) return std::nullopt;
  if (digits[0] == '0' && digits.size() > 1) return std::nullopt;
  uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(value);
}

}  // namespace

std::optional<NamespaceLink> ParseNamespaceLinkText(absl::string_view text) {
  size_t colon = 0;
  while (colon < text.size() && text[colon] != ':') ++colon;
  if (colon == text.size()) return std::nullopt;
  const std::optional<NamespaceType> type = NamespaceTypeFromName(text.substr(0, colon));
  if (!type.has_value()) return std::nullopt;
  absl::string_view digits = text.substr(colon + 1);
  if (digits.size() < 2 || digits.front() != '[' || digits.back() != ']') return std::nullopt;
  digits.remove_prefix(1);
  digits.remove_suffix(1);
  const std::optional<uint32_t> inode = ParseInode(digits);
  if (!inode.has_value()) return std::nullopt;
  return NamespaceLink{*type, *inode};
}

}  // namespace nsctl::base
