#include "mounttree/mount_message.h"

#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/mount_api.h"
#include "base/text.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_options.h"
#include "mounttree/mountinfo.h"

namespace nsctl::mounttree {
namespace {

constexpr absl::string_view kDeletedSuffix = "//deleted";

// A field of mountinfo as stored text.
void SetText(absl::string_view escaped, std::string* out) {
  if (!absl::StrContains(escaped, '\\')) {
    base::AppendEncodedText(escaped, out);
  } else {
    base::AppendEncodedText(DecodeMountText(escaped), out);
  }
}

// `root` as the kernel wrote it, decoded.
void SetRoot(absl::string_view root, Mount* mount) {
  // No path has two slashes in a row.
  if (absl::ConsumeSuffix(&root, kDeletedSuffix)) {
    mount->set_deleted(true);
    if (root.empty()) root = "/";
  }
  base::AppendEncodedText(root, mount->mutable_root());
}

// Adds one option of the super block, decoded, to the lists that are told beside super_options.
void ListSuperOption(absl::string_view option, bool list_all, Mount* mount) {
  if (list_all) base::AppendEncodedText(option, mount->add_super_option_list());
  if (IsSecurityOption(option)) base::AppendEncodedText(option, mount->add_security_options());
}

// The super block's options as mountinfo writes them.
void SetSuperOptions(absl::string_view escaped, Mount* mount) {
  SetText(escaped, mount->mutable_super_options());
  // The kernel escapes the commas of values (seq_show_option).
  const bool list_all = absl::StrContains(escaped, R"(\054)");
  for (const absl::string_view option : absl::StrSplit(escaped, ',')) {
    if (absl::StrContains(option, '\\')) {
      ListSuperOption(DecodeMountText(option), list_all, mount);
    } else {
      ListSuperOption(option, list_all, mount);
    }
  }
}

bool HasComma(const base::StatMountStrings& options) {
  return absl::StrContains(options.bytes, ',');
}

// Calls `visit` with each text of `strings`.
template <typename Visit>
void ForEachString(const std::optional<base::StatMountStrings>& strings, Visit visit) {
  if (!strings.has_value()) return;
  absl::string_view rest = strings->bytes;
  while (!rest.empty()) {
    const size_t size = rest.find('\0');
    visit(rest.substr(0, size));
    rest.remove_prefix(size + 1);
  }
}

void SetSuperOptions(const base::MountStatus& status, Mount* mount) {
  std::string* const all = mount->mutable_super_options();
  AppendSuperBlockFlags(status.super_block->flags, all);
  if (!status.option_array.has_value() && status.options.has_value()) {
    const std::string escaped = absl::StrCat(*all, ",", *status.options);
    all->clear();
    SetSuperOptions(escaped, mount);
    return;
  }
  const bool list_all = status.option_array.has_value() && HasComma(*status.option_array);
  if (list_all) {
    for (const absl::string_view flag : absl::StrSplit(*all, ',')) {
      ListSuperOption(flag, list_all, mount);
    }
  }
  const auto add = [&](absl::string_view option) {
    all->push_back(',');
    base::AppendEncodedText(option, all);
    ListSuperOption(option, list_all, mount);
  };
  ForEachString(status.security_option_array, add);
  ForEachString(status.option_array, add);
}

void AddIdMap(const std::optional<base::StatMountStrings>& lines,
              google::protobuf::RepeatedPtrField<MountIdMapping>* map) {
  ForEachString(lines, [&](absl::string_view line) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t inside, outside, count;
    if (words.size() != 3 || !absl::SimpleAtoi(words[0], &inside) ||
        !absl::SimpleAtoi(words[1], &outside) || !absl::SimpleAtoi(words[2], &count)) {
      return;
    }
    MountIdMapping* const mapping = map->Add();
    mapping->set_inside(inside);
    mapping->set_outside(outside);
    mapping->set_count(count);
  });
}

// One of mountinfo's optional fields.
void SetTag(absl::string_view tag, Mount* mount) {
  const absl::string_view word = tag;
  uint64_t group;
  if (tag == "unbindable") {
    mount->set_unbindable(true);
  } else if (absl::ConsumePrefix(&tag, "shared:") && absl::SimpleAtoi(tag, &group)) {
    mount->set_peer_group(group);
  } else if (absl::ConsumePrefix(&tag, "master:") && absl::SimpleAtoi(tag, &group)) {
    mount->set_master(group);
  } else if (absl::ConsumePrefix(&tag, "propagate_from:") && absl::SimpleAtoi(tag, &group)) {
    mount->set_propagate_from(group);
  } else {
    SetText(word, mount->add_other_tags());
  }
}

void SetAttributes(uint64_t attributes, bool read_only_super_block, Mount* mount) {
  mount->set_attributes(attributes);
  mount->set_idmapped((attributes & MOUNT_ATTR_IDMAP) != 0);
  mount->set_read_only(read_only_super_block || (attributes & MOUNT_ATTR_RDONLY) != 0);
}

void SetPropagation(const base::MountStatus& status, Mount* mount) {
  const uint64_t propagation = status.mount->propagation;
  if ((propagation & MS_SHARED) != 0) mount->set_peer_group(status.mount->peer_group);
  if ((propagation & MS_SLAVE) != 0) mount->set_master(status.mount->master);
  mount->set_unbindable((propagation & MS_UNBINDABLE) != 0);
  // mountinfo says it only where it is another group than the master.
  if (status.propagate_from.value_or(0) != 0 && *status.propagate_from != status.mount->master) {
    mount->set_propagate_from(*status.propagate_from);
  }
}

void SetTexts(const base::MountStatus& status, bool knows_source, Mount* mount) {
  if (status.root.has_value()) SetRoot(*status.root, mount);
  if (status.mount_point.has_value()) {
    base::AppendEncodedText(*status.mount_point, mount->mutable_mount_point());
  }
  if (status.fs_type.has_value()) {
    base::AppendEncodedText(*status.fs_type, mount->mutable_fs_type());
  }
  if (status.fs_subtype.has_value()) {
    mount->mutable_fs_type()->push_back('.');
    base::AppendEncodedText(*status.fs_subtype, mount->mutable_fs_type());
  }
  if (status.source.has_value() || knows_source) {
    base::AppendEncodedText(status.source.value_or(""), mount->mutable_source());
  }
}

}  // namespace

void FillMount(const MountinfoRow& row, Mount* mount) {
  mount->set_mount_id(row.mount_id);
  mount->set_parent_id(row.parent_id);
  mount->set_device_major(row.device_major);
  mount->set_device_minor(row.device_minor);
  if (absl::StrContains(row.root, '\\')) {
    SetRoot(DecodeMountText(row.root), mount);
  } else {
    SetRoot(row.root, mount);
  }
  SetText(row.mount_point, mount->mutable_mount_point());
  SetText(row.file_system, mount->mutable_fs_type());
  SetText(row.source, mount->mutable_source());
  SetText(row.mount_options, mount->mutable_mount_options());
  SetSuperOptions(row.super_options, mount);
  const bool read_only_super_block =
      row.super_options == "ro" || absl::StartsWith(row.super_options, "ro,");
  SetAttributes(ParseMountOptions(row.mount_options), read_only_super_block, mount);
  if (row.tags.empty()) return;
  for (const absl::string_view tag : absl::StrSplit(row.tags, ' ', absl::SkipEmpty())) {
    SetTag(tag, mount);
  }
}

void FillMount(const base::MountStatus& status, bool knows_source, Mount* mount) {
  mount->set_mount_id(status.mount->mountinfo_id.value);
  mount->set_parent_id(status.mount->mountinfo_parent_id.value);
  mount->set_unique_id(status.mount->id.value);
  mount->set_unique_parent_id(status.mount->parent_id.value);
  mount->set_device_major(major(status.super_block->device));
  mount->set_device_minor(minor(status.super_block->device));
  mount->set_fs_magic(status.super_block->magic);
  SetTexts(status, knows_source, mount);
  AppendMountOptions(status.mount->attributes, mount->mutable_mount_options());
  SetSuperOptions(status, mount);
  SetAttributes(status.mount->attributes, (status.super_block->flags & MS_RDONLY) != 0, mount);
  SetPropagation(status, mount);
}

void FillIdMaps(const base::MountStatus& status, Mount* mount) {
  AddIdMap(status.uid_map, mount->mutable_uid_map());
  AddIdMap(status.gid_map, mount->mutable_gid_map());
}

}  // namespace nsctl::mounttree
