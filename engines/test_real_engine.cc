#include "engines/test_real_engine.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/engine_link.h"
#include "engines/engine_watcher.h"
#include "engines/http_client.h"
#include "engines/test_sandbox.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {

bool AwaitMinute(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

std::vector<std::string> SortedLines(absl::string_view text) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    lines.emplace_back(absl::StripAsciiWhitespace(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void RealEngineTest::SetUp() { NSCTL_ASSERT_OK_AND_ASSIGN(sandbox_, TestSandbox::Make()); }

void RealEngineTest::Watch(const std::string& socket, Engine::Type type,
                           const ClientMaker& make_client) {
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root,
                             procfsroot::Root::OfProcess(procfs_, sandbox_->init()));
  link_ = std::make_unique<EngineLink>(procfs_, std::move(root), socket);
  Engine engine;
  engine.set_key(absl::StrCat(TypeName(type), ":1@1"));
  engine.set_type(type);
  WatcherOptions options;
  options.max_backoff = absl::Milliseconds(500);
  watcher_ =
      std::make_unique<EngineWatcher>(engine, make_client([this] { return link_->Connect(); }),
                                      link_->MakeFinder(), nullptr, &hub_, options);
  ASSERT_TRUE(AwaitMinute([this] { return IsReady(); })) << hub_.Current().DebugString();
}

bool RealEngineTest::IsReady() const {
  const Containers current = hub_.Current();
  return current.engines_size() > 0 && current.engines(0).state() == Engine::ready;
}

std::vector<std::string> RealEngineTest::Known(
    const std::function<std::string(const Container&)>& describe) const {
  std::vector<std::string> known;
  const Containers current = hub_.Current();
  for (const Container& container : current.containers()) {
    EXPECT_EQ(container.pid_error(), "") << container.name();
    known.push_back(describe(container));
  }
  std::sort(known.begin(), known.end());
  return known;
}

std::vector<std::string> RealEngineTest::Stopped(
    const ClientMaker& make_client, const std::function<std::string(const Container&)>& describe) {
  std::vector<std::string> stopped;
  const CallLimits limits{.deadline = absl::Now() + absl::Minutes(1)};
  const std::unique_ptr<EngineClient> client = make_client([this] { return link_->Connect(); });
  EXPECT_THAT(client->Identify(limits), testing::IsOk());
  EXPECT_THAT(client->ListStopped(limits,
                                  [&](const EngineRow& row) {
                                    stopped.push_back(describe(row.container));
                                    return absl::OkStatus();
                                  }),
              testing::IsOk());
  std::sort(stopped.begin(), stopped.end());
  return stopped;
}

int RealEngineTest::InSandbox(int pid) const {
  const auto directory = procfs_.OpenProcess(sandbox_->init());
  if (!directory.ok()) return -1;
  const auto pidns = directory->OpenNamespace("pid");
  if (!pidns.ok()) return -1;
  const auto inside = base::PidInPidNamespace(*pidns, base::Pid{pid});
  return inside.ok() ? inside->value : -1;
}

std::vector<std::string> RealEngineTest::AwaitChanges(size_t count) {
  std::vector<std::string> changes;
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (changes.size() < count) {
    const auto batch = subscription_->Next(deadline);
    if (!batch.ok()) break;
    for (const Change& change : batch->changes) {
      if (!change.has_container()) continue;
      std::string text =
          absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name());
      if (change.container().state() == Container::stopping) absl::StrAppend(&text, " stopping");
      if (change.container().has_exit_code()) {
        absl::StrAppend(&text, " ", change.container().exit_code());
      }
      changes.push_back(std::move(text));
    }
  }
  return changes;
}

std::vector<std::string> RealEngineTest::AwaitChangesButStopping(size_t count) {
  std::vector<std::string> kept;
  while (kept.size() < count) {
    const std::vector<std::string> changes = AwaitChanges(1);
    // Nothing came in time.
    if (changes.empty()) break;
    for (absl::string_view change : changes) {
      // Who is seen for the first time then has started all the same.
      const bool is_stopping = absl::ConsumeSuffix(&change, " stopping");
      if (!is_stopping || absl::StartsWith(change, "started ")) kept.emplace_back(change);
    }
  }
  return kept;
}

}  // namespace nsctl::engines
