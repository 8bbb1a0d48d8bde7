#include "cmd/engine_inquiry.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engines/portfolio.h"
#include "engines/process_table.h"

namespace nsctl::cmd {
namespace {

using engines::Containers;
using engines::Engine;
using engines::EngineGap;
using engines::Portfolio;

class PortfolioInquiry : public EngineInquiry {
 public:
  explicit PortfolioInquiry(std::unique_ptr<Portfolio> portfolio)
      : portfolio_(std::move(portfolio)) {}

  Containers Await(absl::Time deadline, const Enough& enough) override {
    std::function<bool()> is_enough;
    if (enough != nullptr) is_enough = [&] { return enough(portfolio_->Current()); };
    // Who is late has a state that says so.
    (void)portfolio_->AwaitFirstResults(deadline, is_enough);
    Containers known = portfolio_->Current();
    AddGapsOfSilentEngines(&known);
    return known;
  }

  std::unique_ptr<engines::ContainerHub::Subscription> Subscribe() override {
    return portfolio_->Subscribe();
  }

 private:
  const std::unique_ptr<Portfolio> portfolio_;
};

}  // namespace

namespace {

bool HasContainers(const Containers& known, const Engine& engine) {
  return absl::c_any_of(known.containers(), [&](const engines::Container& container) {
    return container.engine() == engine.key() ||
           absl::c_any_of(container.views(),
                          [&](const engines::View& view) { return view.engine() == engine.key(); });
  });
}

// What is not known of the containers of `engine`, and why.
std::string ConsequenceOf(const Containers& known, const Engine& engine) {
  const bool is_late = engine.state() != Engine::degraded;
  std::string why = engine.reason();
  if (why.empty() && !engine.api().empty()) why = absl::StrCat("no answer at ", engine.api());
  const char* const what = is_late                        ? "not all of its containers are known"
                           : HasContainers(known, engine) ? "its containers are those of before"
                                                          : "its containers are unknown";
  return absl::StrCat(what, why.empty() ? "" : ": ", why);
}

}  // namespace

void AddGapsOfSilentEngines(Containers* known) {
  for (const Engine& engine : known->engines()) {
    if (engine.state() == Engine::ready || engine.state() == Engine::gone) continue;
    const bool is_told = absl::c_any_of(
        known->gaps(), [&](const EngineGap& gap) { return gap.subject() == engine.key(); });
    if (is_told) continue;
    EngineGap* const gap = known->add_gaps();
    gap->set_subject(engine.key());
    gap->set_operation("ask for containers");
    gap->set_error(engine.state() == Engine::degraded ? "UNAVAILABLE" : "DEADLINE_EXCEEDED");
    gap->set_consequence(ConsequenceOf(*known, engine));
  }
  engines::SortContainers(known);
}

absl::StatusOr<std::unique_ptr<EngineInquiry>> AskRunningEngines(
    const procfsroot::Procfs& procfs, AskFor what, std::vector<engines::KnownProcess> processes) {
  engines::PortfolioOptions options;
  if (what != AskFor::kChanges) options.look_again = absl::InfiniteDuration();
  options.processes = std::move(processes);
  options.watcher.stopped = what == AskFor::kStopped;
  NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Portfolio> portfolio,
                         Portfolio::Start(procfs, std::move(options)));
  return std::make_unique<PortfolioInquiry>(std::move(portfolio));
}

}  // namespace nsctl::cmd
