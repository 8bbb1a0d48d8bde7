// The host that nsctl runs on.

#ifndef NSCTL_CMD_LIVE_SYSTEM_H_
#define NSCTL_CMD_LIVE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cmd/held_processes.h"
#include "cmd/system.h"
#include "nsdisc/questions.h"

namespace nsctl::cmd {

class LiveSystem : public System {
 public:
  absl::StatusOr<procfsroot::Procfs> OpenProcfs(const std::string& directory) override;
  void LeaveOutHeld(const std::vector<base::Pid>& pids) override;
  nsdisc::Questions QuestionsFor(const procfsroot::Procfs& procfs) override {
    return kernel_.For(procfs);
  }
  std::string ReadPasswd() override;
  absl::Time Now() override { return absl::Now(); }
  absl::StatusOr<TargetRoot> OpenRoot(const Target& target, const std::string& procfs,
                                      const procfsroot::RootOptions& options) override;
  absl::StatusOr<std::unique_ptr<EngineInquiry>> AskEngines(
      const procfsroot::Procfs& procfs, AskFor what,
      std::vector<engines::KnownProcess> processes) override;
  std::optional<uint32_t> Securebits() override;
  std::vector<base::Feature> ProbeFeatures() override;

  // From now on every procfs that is opened leaves these out.
  void LeaveOut(std::set<HeldProcess> held) { held_ = std::move(held); }

 private:
  nsdisc::KernelQuestions kernel_;
  std::set<HeldProcess> held_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LIVE_SYSTEM_H_
