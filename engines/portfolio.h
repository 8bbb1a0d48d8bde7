// All containers of a host: finds its engines, follows each of them, and has what they say.
//
//   NSCTL_ASSIGN_OR_RETURN(Procfs procfs, Procfs::Live());
//   NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Portfolio> portfolio, Portfolio::Start(procfs, {}));
//   portfolio->AwaitFirstResults(absl::Now() + absl::Seconds(2));
//   for (const Container& container : portfolio->Current().containers()) { ... }
//
// Nobody who asks waits for an engine: Current() has what is known by now, and the state of each
// engine says what is missing. Thread-safe.

#ifndef NSCTL_ENGINES_PORTFOLIO_H_
#define NSCTL_ENGINES_PORTFOLIO_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_watcher.h"
#include "engines/process_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

struct PortfolioOptions {
  // Which types of engine are asked; empty: all.
  std::vector<Engine::Type> types = {};
  // Containers that no interface tells of, by what their helper processes and cgroups show.
  bool evidence = true;
  // Engines that somebody else listens for, and starts when somebody connects, are started; a look
  // then takes up to two seconds.
  bool activate = false;
  // Time between two looks for new engines; infinite: there is only the first.
  absl::Duration look_again = absl::Seconds(5);
  // The host's processes, where somebody has just read them: they are not read again then. Empty:
  // they are read.
  std::vector<KnownProcess> processes = {};
  WatcherOptions watcher = {};
};

class Portfolio {
 public:
  // Looks for engines once, and begins to follow those that are there. Does not wait for them.
  // `procfs` shows the caller's own PIDs and must outlive the portfolio. Errors: only where the
  // list of processes cannot be read.
  static absl::StatusOr<std::unique_ptr<Portfolio>> Start(const procfsroot::Procfs& procfs,
                                                          PortfolioOptions options);
  Portfolio(const Portfolio&) = delete;
  Portfolio& operator=(const Portfolio&) = delete;
  // Ends all calls and threads. Subscriptions must not outlive it.
  ~Portfolio();

  // Waits until of each engine that the first look found its containers are known, or why they are
  // not. False where some are still awaited at `deadline`: their state says so; or where `enough`
  // says that they need not be, which is asked at first and each time that one more has told. null:
  // nothing is enough.
  bool AwaitFirstResults(absl::Time deadline, const std::function<bool()>& enough = nullptr) const;

  // In the stated orders; each initial process once.
  Containers Current() const;

  // Everything that is known at one revision, and each change after it (container_hub.h).
  std::unique_ptr<ContainerHub::Subscription> Subscribe(size_t max_queued = 10'000);

 private:
  class Impl;

  explicit Portfolio(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PORTFOLIO_H_
