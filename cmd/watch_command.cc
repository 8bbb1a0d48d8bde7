#include "cmd/watch_command.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/container_reference.h"
#include "cmd/diagnostics.h"
#include "cmd/engine_inquiry.h"
#include "cmd/interrupt.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/usage.h"
#include "cmd/watch_text.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

using engines::Change;
using engines::ContainerHub;
using engines::Containers;

constexpr CommandInfo kInfo = {
    .name = "watch",
    .alias = nullptr,
    .summary = "changes as they happen",
    .arguments = "--containers",
    .description =
        "Follows all container engines, those that start later too, and writes a line\n"
        "for each container that starts, exits, is paused, unpaused or changes, and for\n"
        "each engine that does. What is there at the beginning is not told, but with\n"
        "--initial as \"present\". That a container ended is told when its process did;\n"
        "the engine has a second to say with what status. Ends after --count changes or\n"
        "--timeout, or when it is interrupted.",
    .examples =
        "nsctl watch --containers\n"
        "nsctl watch --containers -o jsonl | jq .container.name\n"
        "nsctl watch --containers --count 1 --timeout 30s\n"
        "nsctl watch --containers --initial -o pb --delimited > changes",
    .apart = Apart::kOnce,
};

// How long it may take to notice that a signal came.
constexpr absl::Duration kSignalLatency = absl::Milliseconds(200);
// Of start times (proc_pid_stat(5)).
constexpr uint64_t kTicksPerSecond = 100;

uint64_t TicksSinceBoot() {
  struct timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * kTicksPerSecond +
         static_cast<uint64_t>(now.tv_nsec) / (1'000'000'000 / kTicksPerSecond);
}

class WatchCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_flag("--containers", containers_, "containers and their engines")
        ->group("What to look at");
    app->add_flag("--initial", initial_, "begin with what is there already")
        ->group("What to look at");
    app->add_option("--count", count_word_, "end after so many changes")
        ->type_name("NUMBER")
        ->take_last()
        ->group("When to end");
    app->add_option("--timeout", timeout_word_, "end after this time")
        ->type_name("DURATION")
        ->take_last()
        ->group("When to end");
    wait_.AddWaitTo(app);
    output_.AddTo(app);
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder != "FORMAT") return {};
    std::vector<Choice> choices = output_.ChoicesOf(placeholder);
    choices.erase(std::remove_if(choices.begin(), choices.end(),
                                 [](const Choice& choice) {
                                   return choice.value == "json" || choice.value == "textproto";
                                 }),
                  choices.end());
    return choices;
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (!containers_) return UsageError("say what to watch: --containers");
    NSCTL_RETURN_IF_ERROR(ResolveEnd());
    NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, wait_.ResolveWait());
    NSCTL_ASSIGN_OR_RETURN(format_, output_.Resolve(env));
    if (format_ != Format::kTable && format_ != Format::kJsonl && format_ != Format::kDelimitedPb) {
      return UsageError("changes are a stream: -o jsonl, or -o pb --delimited");
    }
    const InterruptGuard interrupts;
    began_ = TicksSinceBoot();
    env.system->LeaveOutHeld({});
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, env.system->OpenProcfs(""));
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<EngineInquiry> inquiry,
                           env.system->AskEngines(procfs, AskFor::kChanges, {}));
    if (inquiry == nullptr) {
      return absl::FailedPreconditionError("engines are watched on the running host alone");
    }
    // Before anything is known, so that nothing is missed.
    const std::unique_ptr<ContainerHub::Subscription> subscription = inquiry->Subscribe();
    const Containers known = inquiry->Await(absl::Now() + wait, nullptr);
    TakeInitial(known, env);
    if (initial_) {
      NSCTL_ASSIGN_OR_RETURN(const bool enough, TellPresent(known, env));
      if (enough) return env.out->ok() ? ExitStatus::kDone : ExitStatus::kFailed;
    }
    return Follow(subscription.get(), env);
  }

 private:
  absl::Status ResolveEnd() {
    if (!count_word_.empty() && (!absl::SimpleAtoi(count_word_, &count_) || count_ == 0)) {
      return UsageError(
          absl::StrCat("--count is a number above 0, not ", QuotedArgument(count_word_)));
    }
    if (timeout_word_.empty()) return absl::OkStatus();
    NSCTL_ASSIGN_OR_RETURN(const absl::Duration timeout, ParseDuration("--timeout", timeout_word_));
    deadline_ = absl::Now() + timeout;
    return absl::OkStatus();
  }

  // What engines tell up to this revision was there when the watch began.
  void TakeInitial(const Containers& known, Environment& env) {
    initial_revision_ = known.revision();
    for (const engines::Engine& engine : known.engines()) {
      (void)IsNewState(engine);
      (void)names_.Take(engine);
    }
    for (const engines::EngineGap& gap : known.gaps()) {
      Complain(env, kInfo.name,
               absl::StrCat("missing: ", gap.subject(), ": ", gap.operation(), ": ", gap.error(),
                            ": ", gap.consequence()));
    }
    (void)env.err->Flush();
  }

  // Whether that is all that is to be told.
  absl::StatusOr<bool> TellPresent(const Containers& known, Environment& env) {
    Change change;
    change.set_kind(Change::present);
    change.set_source(Change::list);
    const timespec now = absl::ToTimespec(env.system->Now());
    change.mutable_received_at()->set_seconds(now.tv_sec);
    change.mutable_received_at()->set_nanos(static_cast<int32_t>(now.tv_nsec));
    change.set_revision(known.revision());
    for (const engines::Engine& engine : known.engines()) {
      *change.mutable_engine() = engine;
      NSCTL_RETURN_IF_ERROR(Write(change, env.out));
      if (IsEnough(env)) return true;
    }
    change.clear_engine();
    const ContainerLists lists(known);
    for (const engines::Container& container : known.containers()) {
      present_.insert(ProcessOf(container));
      *change.mutable_container() = container;
      change.clear_pod();
      if (const engines::Pod* const pod = PodOf(lists, container)) *change.mutable_pod() = *pod;
      NSCTL_RETURN_IF_ERROR(Write(change, env.out));
      if (IsEnough(env)) return true;
    }
    return false;
  }

  bool IsEnough(Environment& env) { return !env.out->ok() || (count_ > 0 && --count_ == 0); }

  static std::pair<int32_t, uint64_t> ProcessOf(const engines::Container& container) {
    return {container.pid(), container.start_time()};
  }

  // Whether anything but what it runs in is new about the engine.
  bool IsNewState(const engines::Engine& engine) {
    std::string state = absl::StrCat(engines::StateName(engine.state()), " ", engine.version(), " ",
                                     engine.reason());
    if (engine.type() == engines::Engine::docker && engine.state() == engines::Engine::ready) {
      dockers_.insert(engine.key());
    } else {
      dockers_.erase(engine.key());
    }
    if (engine.state() == engines::Engine::gone) {
      engine_states_.erase(engine.key());
      return true;
    }
    std::string& known = engine_states_[engine.key()];
    if (known == state) return false;
    known = std::move(state);
    return true;
  }

  // containerd's word about what Docker, which is nearer to the user, tells as well.
  bool IsToldByDocker(const Change& change) const {
    return !dockers_.empty() && change.container().native_namespace() == "moby" &&
           absl::StartsWith(change.container().engine(), "containerd:");
  }

  // A container that started meanwhile is news, however it was learnt.
  bool IsNews(const Change& change) {
    if (change.has_engine() && !change.has_container() && !IsNewState(change.engine()) &&
        change.kind() != Change::engine_gone) {
      return false;
    }
    if (IsToldByDocker(change)) return false;
    if (change.revision() > initial_revision_) return true;
    const bool is_told = change.kind() != Change::exited && change.has_container() &&
                         present_.count(ProcessOf(change.container())) > 0;
    return change.has_container() && !is_told &&
           (change.source() == Change::event || change.source() == Change::process ||
            change.container().start_time() > began_);
  }

  // It started before the watch did, and its engine was late, or came later.
  bool IsOld(const Change& change) const {
    const uint64_t start = change.container().start_time();
    return change.kind() == Change::started && change.source() == Change::list && start != 0 &&
           start < began_;
  }

  absl::StatusOr<ExitStatus> Follow(ContainerHub::Subscription* subscription, Environment& env) {
    while (InterruptGuard::Received() == 0 && absl::Now() < deadline_) {
      absl::StatusOr<ContainerHub::Subscription::Batch> batch =
          subscription->Next(std::min(deadline_, absl::Now() + kSignalLatency));
      if (absl::IsDeadlineExceeded(batch.status())) continue;
      // No more will come.
      if (absl::IsCancelled(batch.status())) break;
      NSCTL_RETURN_IF_ERROR(batch.status());
      if (batch->current.has_value()) {
        Complain(env, kInfo.name, "missing: changes came faster than they could be written");
        initial_revision_ = batch->current->revision();
      }
      for (const std::string& key : batch->lost_engines) {
        Complain(
            env, kInfo.name,
            absl::StrCat("missing: ", key, ": changes came faster than they could be written"));
      }
      for (Change& change : batch->changes) {
        if (!IsNews(change)) continue;
        if (IsOld(change)) change.set_kind(Change::present);
        NSCTL_RETURN_IF_ERROR(Write(change, env.out));
        if (IsEnough(env)) return env.out->ok() ? ExitStatus::kDone : ExitStatus::kFailed;
      }
    }
    return ExitStatus::kDone;
  }

  // Readers see each change when it is told.
  absl::Status Write(const Change& change, Writer* out) {
    if (format_ == Format::kTable) {
      out->Append(absl::StrCat(ChangeText(change, &names_), "\n"));
    } else {
      NSCTL_RETURN_IF_ERROR(WriteMessage(
          change, [&](RecordSink sink) { sink(change); }, format_, out));
    }
    (void)out->Flush();
    return absl::OkStatus();
  }

  ContainerOptions wait_;
  OutputOptions output_{"table"};
  std::string count_word_;
  std::string timeout_word_;
  bool containers_ = false;
  bool initial_ = false;

  Format format_ = Format::kTable;
  // 0: no end.
  uint64_t count_ = 0;
  absl::Time deadline_ = absl::InfiniteFuture();
  // Clock ticks since boot.
  uint64_t began_ = 0;
  uint64_t initial_revision_ = 0;
  // By key.
  std::map<std::string, std::string> engine_states_;
  EngineNames names_;
  // Keys of those that tell.
  std::set<std::string> dockers_;
  // Processes of containers that were told as present.
  std::set<std::pair<int32_t, uint64_t>> present_;
};

}  // namespace

const CommandEntry kWatchCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<WatchCommand>(); }};

}  // namespace nsctl::cmd
