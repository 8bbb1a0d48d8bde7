#include "engines/evidence_client.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/evidence.h"
#include "engines/process_table.h"
#include "engines/stop_signal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

class EvidenceClientTest : public ::testing::Test {
 protected:
  // A container whose initial process has the number `pid`, which is its start time as well.
  void Add(int pid, char digit) {
    ASSERT_THAT(
        testing::UnpackRecordedTree(
            absl::StrFormat("f %1$d/stat\n|%1$d (sh) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 "
                            "%1$d 0 0\nf %1$d/cgroup\n|0::/docker/%2$s\n",
                            pid, std::string(64, digit)),
            directory_.path()),
        IsOk());
  }
  std::vector<int64_t> List() {
    std::vector<int64_t> pids;
    const CallLimits limits = {.deadline = absl::Now() + absl::Seconds(30), .stop = &stop_};
    EXPECT_THAT(client_.List(limits,
                             [&pids](const EngineRow& row) {
                               pids.push_back(row.container.engine_pid());
                               return absl::OkStatus();
                             }),
                IsOk());
    return pids;
  }
  EvidenceOptions Options() {
    EvidenceOptions options;
    options.interval = absl::Milliseconds(1);
    options.known = [this] { return known_; };
    options.await_engines = [this](const StopSignal*) { ++awaited_; };
    options.set_gaps = [](std::vector<EngineGap>) {};
    return options;
  }

  testing::TestDirectory directory_;
  std::set<std::pair<int32_t, uint64_t>> known_;
  int awaited_ = 0;
  StopSignal stop_;
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::At(directory_.path());
  ProcessTable table_{procfs_};
  EvidenceClient client_{Evidence(procfs_, &table_, std::nullopt), Options()};
};

TEST_F(EvidenceClientTest, TellsWhatEnginesDoNot) {
  Add(10, 'a');
  Add(11, 'b');
  known_ = {{10, 10}, {11, 99}};

  EXPECT_THAT(List(), ElementsAre(11));
  EXPECT_EQ(awaited_, 1);
  // What was told is told until it ends.
  known_ = {{10, 10}, {11, 11}};
  EXPECT_THAT(List(), ElementsAre(11));
  EXPECT_EQ(awaited_, 1);
  // An engine that is gone tells nothing any more.
  known_.clear();
  EXPECT_THAT(List(), ElementsAre(10, 11));
  std::filesystem::remove_all(directory_.path() + "/11");
  EXPECT_THAT(List(), ElementsAre(10));
}

TEST_F(EvidenceClientTest, AsksForAListWhereSomethingIsNew) {
  Add(10, 'a');
  EXPECT_THAT(List(), ElementsAre(10));
  const CallLimits limits = {.deadline = absl::Now() + absl::Seconds(30), .stop = &stop_};
  int events = 0;

  const absl::Status status = client_.Watch(
      absl::InfinitePast(), limits, [this] { Add(11, 'b'); },
      [&](const EngineEvent& event) {
        EXPECT_EQ(event.kind, EngineEvent::Kind::kLost);
        EXPECT_THAT(List(), ElementsAre(10, 11));
        ++events;
        stop_.Request();
      });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(events, 1);
}

TEST_F(EvidenceClientTest, InspectsWhatIsThere) {
  Add(10, 'a');
  const std::string id(64, 'a');

  EXPECT_THAT(client_.Inspect({"", id}, {}), IsOk());
  EXPECT_THAT(client_.Inspect({"", "gone"}, {}), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace nsctl::engines
