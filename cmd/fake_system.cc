#include "cmd/fake_system.h"

#include <cerrno>

#include "base/status_macros.h"
#include "testing/recorded_tree.h"

namespace nsctl::cmd {

using procfsroot::Procfs;

absl::StatusOr<std::unique_ptr<FakeSystem>> FakeSystem::FromRecordedTree(absl::string_view tree) {
  // The constructor is private.
  std::unique_ptr<FakeSystem> system(new FakeSystem());
  NSCTL_RETURN_IF_ERROR(testing::UnpackRecordedTree(tree, system->procfs_path()));
  NSCTL_ASSIGN_OR_RETURN(system->lineage_, testing::FakeLineage::FromRecordedTree(tree));
  return system;
}

absl::StatusOr<Procfs> FakeSystem::OpenProcfs(const std::string& directory) {
  return Procfs::At(directory.empty() ? procfs_path() : directory);
}

std::string FakeSystem::ReadPasswd() {
  return "root:x:0:0:root:/root:/bin/bash\n"
         "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
         "ann:x:1000:1000:Ann:/home/ann:/bin/bash\n";
}

std::vector<base::Feature> FakeSystem::ProbeFeatures() {
  using base::FeatureState;
  return {
      {"openat2", FeatureState::kAvailable, 0, "5.6", "paths are resolved step by step"},
      {"listns", FeatureState::kMissing, ENOSYS, "6.19", "idle namespaces are not found"},
      {"SIOCGSKNS", FeatureState::kDenied, EPERM, "4.10", "sockets' namespaces are not found"},
      {"statmount", FeatureState::kUnknown, EIO, "6.8", "mounts are read from text"},
  };
}

}  // namespace nsctl::cmd
