#include "engines/stopped_rows.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

EngineRow Row(const std::string& id, Container::State state) {
  EngineRow row;
  row.container.set_id(id);
  row.container.set_state(state);
  return row;
}

TEST(GiveInspected, ShowsWhatInspectionsShow) {
  std::vector<std::string> given;

  const absl::Status status = GiveInspected(
      {Row("a", Container::exited), Row("gone", Container::exited), Row("runs", Container::exited),
       Row("fails", Container::created)},
      {.deadline = absl::Now() + absl::Seconds(30)},
      [](const ContainerId& id) -> absl::StatusOr<EngineRow> {
        if (id.id == "gone") return absl::NotFoundError("gone");
        if (id.id == "fails") return absl::UnavailableError("not now");
        EngineRow row = Row(id.id, id.id == "runs" ? Container::running : Container::exited);
        row.container.set_exit_code(3);
        return row;
      },
      [&given](EngineRow row) {
        given.push_back(absl::StrCat(row.container.id(), " ", row.container.exit_code()));
        return absl::OkStatus();
      });

  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(given, ElementsAre("a 3", "fails 0"));
}

TEST(GiveInspected, ShowsAllThatIsListedThoughInspectionsTakeTooLong) {
  std::vector<EngineRow> rows;
  rows.reserve(1000);
  for (int i = 0; i < 1000; ++i) rows.push_back(Row(absl::StrCat(i), Container::exited));
  std::atomic<int> inspected = 0;
  int given = 0;

  EXPECT_THAT(GiveInspected(
                  std::move(rows), {.deadline = absl::Now() + absl::Milliseconds(100)},
                  [&inspected](const ContainerId& id) -> absl::StatusOr<EngineRow> {
                    ++inspected;
                    absl::SleepFor(absl::Milliseconds(5));
                    return Row(id.id, Container::exited);
                  },
                  [&given](EngineRow) {
                    ++given;
                    return absl::OkStatus();
                  }),
              IsOk());

  EXPECT_EQ(given, 1000);
  EXPECT_LT(inspected, 1000);
}

TEST(GiveInspected, EndsWithItsReceiver) {
  EXPECT_THAT(GiveInspected(
                  {Row("a", Container::exited)}, {},
                  [](const ContainerId& id) -> absl::StatusOr<EngineRow> {
                    return Row(id.id, Container::exited);
                  },
                  [](EngineRow) { return absl::ResourceExhaustedError("enough"); }),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace nsctl::engines
