#include "mounttree/mount_texts.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace nsctl::mounttree {
namespace {

constexpr char kOperation[] = "read mounts";

size_t OptionBytes(const Mount& mount) {
  size_t size = mount.super_options().size();
  for (const std::string& option : mount.super_option_list()) size += option.size();
  for (const std::string& option : mount.security_options()) size += option.size();
  return size;
}

size_t IdMapBytes(const Mount& mount) {
  return sizeof(MountIdMapping) *
         (static_cast<size_t>(mount.uid_map_size()) + static_cast<size_t>(mount.gid_map_size()));
}

// Clearing alone keeps the memory for the next text.
void Free(std::string* text) { std::string().swap(*text); }

void AddGap(absl::string_view error, absl::string_view consequence, uint64_t count,
            MountNamespace* out) {
  MountGap* const gap = out->add_gaps();
  gap->set_operation(kOperation);
  gap->set_error(std::string(error));
  gap->set_consequence(std::string(consequence));
  gap->set_count(count);
}

}  // namespace

void MountTexts::Limit(Mount* mount, bool lacks_text) {
  is_too_long_ = lacks_text;
  is_too_many_ = false;
  if (!Admit(mount->mount_point().size())) {
    Free(mount->mutable_mount_point());
    mount->clear_mount_point();
  }
  if (!Admit(mount->root().size())) Free(mount->mutable_root());
  if (!Admit(mount->fs_type().size())) Free(mount->mutable_fs_type());
  if (!Admit(mount->source().size())) {
    Free(mount->mutable_source());
    mount->clear_source();
  }
  if (!Admit(OptionBytes(*mount))) {
    Free(mount->mutable_super_options());
    for (std::string& option : *mount->mutable_super_option_list()) Free(&option);
    for (std::string& option : *mount->mutable_security_options()) Free(&option);
    mount->clear_super_option_list();
    mount->clear_security_options();
  }
  if (!Admit(IdMapBytes(*mount))) {
    mount->clear_uid_map();
    mount->clear_gid_map();
  }
  if (is_too_long_) Count(mount->mount_id(), &too_long_);
  if (is_too_many_) Count(mount->mount_id(), &too_many_);
}

bool MountTexts::Admit(size_t size) {
  if (size <= limits_.shortest) return true;
  if (size > limits_.longest) {
    is_too_long_ = true;
    return false;
  }
  if (size > limits_.all - used_) {
    is_too_many_ = true;
    return false;
  }
  used_ += size;
  return true;
}

void MountTexts::Count(uint32_t mount_id, Loss* loss) {
  if (loss->mounts++ == 0) loss->first = mount_id;
}

void MountTexts::AddGaps(MountNamespace* out) const {
  if (too_many_.mounts != 0) {
    AddGap("E2BIG",
           absl::StrCat("paths or options of mounts are missing, as all together are more than ",
                        limits_.all, " bytes; first of mount ", too_many_.first),
           too_many_.mounts, out);
  }
  if (too_long_.mounts != 0) {
    AddGap("ENAMETOOLONG",
           absl::StrCat("paths or options of mounts are missing that are longer than ",
                        limits_.longest, " bytes; first of mount ", too_long_.first),
           too_long_.mounts, out);
  }
}

size_t LongTextBytes(const MountNamespace& mounts, const MountTextLimits& limits) {
  size_t all = 0;
  for (const Mount& mount : mounts.mounts()) {
    for (const size_t size :
         {mount.mount_point().size(), mount.root().size(), mount.fs_type().size(),
          mount.source().size(), OptionBytes(mount), IdMapBytes(mount)}) {
      if (size > limits.shortest) all += size;
    }
  }
  return all;
}

}  // namespace nsctl::mounttree
