// A host from a recorded tree (testing/recorded_tree.h), for tests that run whole commands.

#ifndef NSCTL_CMD_FAKE_SYSTEM_H_
#define NSCTL_CMD_FAKE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/feature_probe.h"
#include "cmd/system.h"
#include "cmd/target.h"
#include "cmd/target_root.h"
#include "engines/container.pb.h"
#include "engines/process_table.h"
#include "nsdisc/questions.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "testing/fake_lineage.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {

class FakeSystem : public System {
 public:
  // INVALID_ARGUMENT where `tree` is no recorded tree.
  static absl::StatusOr<std::unique_ptr<FakeSystem>> FromRecordedTree(absl::string_view tree);

  // Where the tree was unpacked: the live procfs of this host.
  const std::string& procfs_path() const { return directory_.path(); }

  // The root directory of process 1600.
  const std::string& root_path() const { return root_directory_.path(); }

  absl::StatusOr<procfsroot::Procfs> OpenProcfs(const std::string& directory) override;
  nsdisc::Questions QuestionsFor(const procfsroot::Procfs&) override {
    return {.lineage = lineage_.get()};
  }
  // root, www-data (33) and ann (1000).
  std::string ReadPasswd() override;
  // 2025-01-01 00:00:00 UTC.
  absl::Time Now() override { return absl::FromUnixSeconds(1735689600); }
  // Process 1600 has a root directory with a few files, links and a FIFO; no other process has one.
  absl::StatusOr<TargetRoot> OpenRoot(const Target& target, const std::string& procfs,
                                      const procfsroot::RootOptions& options) override;
  void LeaveOutHeld(const std::vector<base::Pid>& /*pids*/) override {}
  // Engines tell of SetContainers at once.
  absl::StatusOr<std::unique_ptr<EngineInquiry>> AskEngines(
      const procfsroot::Procfs& procfs, AskFor what,
      std::vector<engines::KnownProcess> processes) override;
  // What engines tell, and the changes that follow. Without it there are no engines.
  void SetContainers(engines::Containers containers, std::vector<engines::Change> changes);
  // SECBIT_KEEP_CAPS.
  std::optional<uint32_t> Securebits() override { return 0x10; }
  // One in every state.
  std::vector<base::Feature> ProbeFeatures() override;

 private:
  FakeSystem() = default;

  testing::TestDirectory directory_;
  testing::TestDirectory root_directory_;
  std::unique_ptr<testing::FakeLineage> lineage_;
  engines::Containers containers_;
  std::vector<engines::Change> changes_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FAKE_SYSTEM_H_
