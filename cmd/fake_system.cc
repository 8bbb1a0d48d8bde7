#include "cmd/fake_system.h"

#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "cmd/engine_inquiry.h"
#include "engines/container_hub.h"
#include "testing/recorded_tree.h"

namespace nsctl::cmd {

using procfsroot::Procfs;

namespace {

constexpr char kRootTree[] = R"(d empty
f etc/hostname
|web
f etc/os-release
|NAME="Some OS"
|VERSION=12
f etc/.hidden
l etc/link hostname
l etc/resolv.conf /run/resolv.conf
l etc/outside ../../../../etc/hostname
l etc/dangling nowhere
l loop loop
f run/resolv.conf
|nameserver 192.0.2.1
f run/a\x0ab\x1b[31m
f run/\xff
f run/back\\slash:colon
f var/log/app.log
|one
|\x1b]0;owned\x07\xe2\x80\xae\xff\\n
l var/run ../run
)";

class FakeInquiry : public EngineInquiry {
 public:
  FakeInquiry(const engines::Containers& containers, std::vector<engines::Change> changes)
      : changes_(std::move(changes)) {
    for (const engines::Engine& engine : containers.engines()) {
      hub_.SetEngine(engine, absl::FromUnixSeconds(1735689600));
    }
    known_ = containers;
  }

  engines::Containers Await(absl::Time /*deadline*/, const Enough& /*enough*/) override {
    engines::Containers known = known_;
    AddGapsOfSilentEngines(&known);
    return known;
  }

  std::unique_ptr<engines::ContainerHub::Subscription> Subscribe() override {
    std::unique_ptr<engines::ContainerHub::Subscription> subscription = hub_.Subscribe();
    for (const engines::Change& change : changes_) {
      hub_.Publish(change.container().engine(), {change});
    }
    hub_.Close();
    return subscription;
  }

 private:
  engines::Containers known_;
  std::vector<engines::Change> changes_;
  engines::ContainerHub hub_;
};

absl::Status MakeRoot(const std::string& path) {
  NSCTL_RETURN_IF_ERROR(testing::UnpackRecordedTree(kRootTree, path));
  const std::string fifo = path + "/etc/passwd";
  if (mkfifo(fifo.c_str(), 0600) == 0) return absl::OkStatus();
  const int error = errno;
  return base::ErrnoStatus(error, "mkfifo", fifo);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FakeSystem>> FakeSystem::FromRecordedTree(absl::string_view tree) {
  // The constructor is private.
  std::unique_ptr<FakeSystem> system(new FakeSystem());
  NSCTL_RETURN_IF_ERROR(testing::UnpackRecordedTree(tree, system->procfs_path()));
  NSCTL_RETURN_IF_ERROR(MakeRoot(system->root_path()));
  NSCTL_ASSIGN_OR_RETURN(system->lineage_, testing::FakeLineage::FromRecordedTree(tree));
  return system;
}

absl::StatusOr<TargetRoot> FakeSystem::OpenRoot(const Target& target, const std::string& procfs,
                                                const procfsroot::RootOptions& options) {
  NSCTL_ASSIGN_OR_RETURN(const Procfs opened, OpenProcfs(procfs));
  const auto* const process = std::get_if<ProcessTarget>(&target);
  if (process == nullptr) return OpenTargetRoot(target, opened, options);
  if (process->pid.value == 1) return base::ErrnoStatus(EACCES, "openat", "/proc/1/root");
  if (process->pid.value != 1600 || process->pidfd_inode.value_or(7) != 7) {
    return base::ErrnoStatus(ESRCH, "find process", ToString(target));
  }
  procfsroot::RootOptions named = options;
  named.name = ToString(target) + ":";
  return OpenTargetRoot(PathTarget{root_path()}, opened, named);
}

// Tells the changes that were set, then that there are no more.
absl::StatusOr<std::unique_ptr<EngineInquiry>> FakeSystem::AskEngines(
    const Procfs& procfs, AskFor /*what*/, std::vector<engines::KnownProcess> /*processes*/) {
  if (procfs.path() != procfs_path()) return nullptr;
  return std::make_unique<FakeInquiry>(containers_, changes_);
}

void FakeSystem::SetContainers(engines::Containers containers,
                               std::vector<engines::Change> changes) {
  containers_ = std::move(containers);
  changes_ = std::move(changes);
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
