// What subscribers were told of one container, and the changes that bring them to what is true.
//
// Each change is told once: a container that is seen again as it was told is no change; one whose
// initial process is another one ended and started.

#ifndef NSCTL_ENGINES_TOLD_CONTAINER_H_
#define NSCTL_ENGINES_TOLD_CONTAINER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"

namespace nsctl::engines {

// A row of an engine together with the process that its PID was found to be.
struct Sighting {
  EngineRow row;
  // Null where the container has none, or it was not found; then `process_error` is the errno's
  // name.
  std::shared_ptr<const ContainerProcess> process;
  std::string process_error;
  // When the kernel made it, by the clock that engines date events by, or a bit before; in the past
  // for ever where that is not known.
  absl::Time born = absl::InfinitePast();
};

// Where a change comes from.
struct Cause {
  Change::Source source = Change::unknown;
  absl::Time now;
  // By the engine's clock; in the past for ever where it did not say.
  absl::Time happened = absl::InfinitePast();
};

// How an initial process ended, as far as it is known.
struct ExitFacts {
  std::optional<int32_t> exit_code = std::nullopt;
  std::optional<bool> oom_killed = std::nullopt;
};

class ToldContainer {
 public:
  // Null where nothing is told, or its end was.
  const Container* container() const { return container_.has_value() ? &*container_ : nullptr; }
  const std::optional<Pod>& pod() const { return pod_; }

  // It was told to have an initial process.
  bool has_process() const { return has_process_; }
  // Null where that could not be found.
  const std::shared_ptr<const ContainerProcess>& process() const { return process_; }

  // Tells what `sighting` shows beyond what was told. Containers that are neither alive nor between
  // two processes end.
  void Show(const Sighting& sighting, const Cause& cause, std::vector<Change>* changes);

  // Nothing where that is no news.
  void SetPaused(bool paused, const Cause& cause, std::vector<Change>* changes);

  // Ends what was told; nothing where nothing was.
  void End(const ExitFacts& facts, const Cause& cause, std::vector<Change>* changes);

  // `row` shows nothing that was not told, but for what an inspection alone shows.
  bool Agrees(const EngineRow& row) const;

 private:
  // Whether that is news.
  bool ShowPod(const std::optional<Pod>& seen);
  void ShowWithoutProcess(Container seen, const Cause& cause, std::vector<Change>* changes);
  void EndProcess(const ExitFacts& facts, const Container* last, const Cause& cause,
                  std::vector<Change>* changes);
  void Tell(Change::Kind kind, const Cause& cause, std::vector<Change>* changes) const;

  std::optional<Container> container_;
  std::optional<Pod> pod_;
  bool has_process_ = false;
  std::shared_ptr<const ContainerProcess> process_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_TOLD_CONTAINER_H_
