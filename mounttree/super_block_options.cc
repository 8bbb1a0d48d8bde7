#include "mounttree/super_block_options.h"

namespace nsctl::mounttree {

bool SuperBlockOptions::Fill(const base::MountStatus& status, Mount* mount) const {
  if (status.mount->id > newest_ || !status.root.has_value()) return false;
  if (status.root->size() > kLongest) return false;
  const auto known = options_.find(Key(status.super_block->device, std::string(*status.root)));
  if (known == options_.end()) return false;
  mount->set_fs_type(known->second.fs_type());
  mount->set_super_options(known->second.super_options());
  *mount->mutable_super_option_list() = known->second.super_option_list();
  *mount->mutable_security_options() = known->second.security_options();
  return true;
}

void SuperBlockOptions::Keep(const base::MountStatus& status, const Mount& mount) {
  if (status.mount->id > newest_ || !status.root.has_value() || options_.size() >= kMost) return;
  if (status.root->size() + mount.super_options().size() > kLongest) return;
  Mount& kept = options_[Key(status.super_block->device, std::string(*status.root))];
  kept.set_fs_type(mount.fs_type());
  kept.set_super_options(mount.super_options());
  *kept.mutable_super_option_list() = mount.super_option_list();
  *kept.mutable_security_options() = mount.security_options();
}

}  // namespace nsctl::mounttree
