// Container engines while they are asked.

#ifndef NSCTL_CMD_ENGINE_INQUIRY_H_
#define NSCTL_CMD_ENGINE_INQUIRY_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/process_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// What is asked for.
enum class AskFor {
  // What there is now.
  kPresent,
  // The same, and containers that do not run.
  kStopped,
  // What changes as well, engines that come later among it.
  kChanges,
};

// Destroying it ends all calls and threads.
class EngineInquiry {
 public:
  virtual ~EngineInquiry() = default;

  // What the engines that were there when it began told until they all had, or `deadline`; or until
  // `enough`, which is asked as they tell, says that what is known is. null: nothing is.
  using Enough = std::function<bool(const engines::Containers&)>;
  virtual engines::Containers Await(absl::Time deadline, const Enough& enough) = 0;

  // Must not outlive this object.
  virtual std::unique_ptr<engines::ContainerHub::Subscription> Subscribe() = 0;
};

// Adds a gap for each engine that has not told all, but where it has one.
void AddGapsOfSilentEngines(engines::Containers* known);

// Asks the engines of the running host, whose procfs is `procfs`, which is borrowed. `processes`:
// as PortfolioOptions::processes. Errors: those of Portfolio::Start.
absl::StatusOr<std::unique_ptr<EngineInquiry>> AskRunningEngines(
    const procfsroot::Procfs& procfs, AskFor what, std::vector<engines::KnownProcess> processes);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_ENGINE_INQUIRY_H_
