#include "engines/bounded_client.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

EngineRow RowOf(const std::string& id, size_t text = 0) {
  EngineRow row;
  row.container.set_id(id);
  if (text > 0) row.container.set_image(std::string(text, 'x'));
  return row;
}

// Tells what it was told to tell.
class TellingClient : public EngineClient {
 public:
  absl::StatusOr<Engine> Identify(const CallLimits& /*limits*/) override { return Engine(); }
  absl::Status Watch(absl::Time /*since*/, const CallLimits& /*limits*/,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override {
    subscribed();
    for (const EngineEvent& event : events) sink(event);
    return absl::OkStatus();
  }
  absl::Status List(const CallLimits& /*limits*/,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override {
    for (const EngineRow& row : rows) {
      NSCTL_RETURN_IF_ERROR(sink(row));
    }
    return absl::OkStatus();
  }
  absl::Status ListStopped(const CallLimits& limits,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) override {
    return List(limits, sink);
  }
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& /*limits*/) override {
    return RowOf(container.id, inspected);
  }
  bool replays() const override { return true; }

  std::vector<EngineRow> rows;
  std::vector<EngineEvent> events;
  size_t inspected = 0;
};

class BoundedClientTest : public ::testing::Test {
 protected:
  // Room for so many rows that say next to nothing.
  std::unique_ptr<BoundedClient> Bound(size_t rows, std::shared_ptr<ByteBudget> shared = nullptr) {
    auto client = std::make_unique<TellingClient>();
    client_ = client.get();
    return std::make_unique<BoundedClient>(
        std::move(client),
        RowLimits{.row_bytes = 64 << 10, .bytes = rows * kRow, .shared = std::move(shared)});
  }
  void Tell(size_t rows, size_t text = 0) {
    client_->rows.clear();
    for (size_t i = 0; i < rows; ++i) client_->rows.push_back(RowOf(std::to_string(i), text));
  }
  static absl::Status List(BoundedClient* client) {
    return client->List({}, [](const EngineRow&) { return absl::OkStatus(); });
  }

  const size_t kRow = MemoryOf(RowOf("0"));
  TellingClient* client_ = nullptr;
};

TEST_F(BoundedClientTest, CountsWhatIsListed) {
  const auto client = Bound(10);
  Tell(10);
  EXPECT_THAT(List(client.get()), IsOk());
  // In place of the first.
  EXPECT_THAT(List(client.get()), IsOk());
  Tell(11);
  EXPECT_THAT(List(client.get()), StatusIs(absl::StatusCode::kResourceExhausted));
  Tell(1, 30 << 10);
  EXPECT_THAT(List(client.get()), StatusIs(absl::StatusCode::kResourceExhausted));
  Tell(10);
  EXPECT_THAT(List(client.get()), IsOk());
}

TEST_F(BoundedClientTest, RefusesARowThatIsTooLong) {
  const auto client = Bound(1000);
  Tell(1, 32 << 10);

  EXPECT_THAT(List(client.get()),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("one container")));
  client_->inspected = 32 << 10;
  EXPECT_THAT(client->Inspect({"", "a"}, {}), StatusIs(absl::StatusCode::kResourceExhausted));
  client_->inspected = 0;
  EXPECT_THAT(client->Inspect({"", "a"}, {}), IsOk());
}

TEST_F(BoundedClientTest, CountsStoppedOnesToo) {
  const auto client = Bound(10);
  Tell(6);
  EXPECT_THAT(List(client.get()), IsOk());
  const auto list_stopped = [&] {
    return client->ListStopped({}, [](const EngineRow&) { return absl::OkStatus(); });
  };
  EXPECT_THAT(list_stopped(), StatusIs(absl::StatusCode::kResourceExhausted));
  Tell(4);
  EXPECT_THAT(list_stopped(), IsOk());
}

TEST_F(BoundedClientTest, CountsWhatIsInspectedUntilItEnds) {
  const auto client = Bound(2);
  EXPECT_THAT(client->Inspect({"", "a"}, {}), IsOk());
  EXPECT_THAT(client->Inspect({"", "b"}, {}), IsOk());
  EXPECT_THAT(client->Inspect({"", "a"}, {}), StatusIs(absl::StatusCode::kResourceExhausted));
  for (const auto kind : {EngineEvent::Kind::kExited, EngineEvent::Kind::kRemoved}) {
    client_->events = {{.kind = kind, .container = {"", "b"}}};
    EXPECT_THAT(client->Watch(
                    absl::InfinitePast(), {}, [] {}, [](const EngineEvent&) {}),
                IsOk());
    EXPECT_THAT(client->Inspect({"", "b"}, {}), IsOk());
  }
}

TEST_F(BoundedClientTest, TakesLongEventsForLost) {
  const auto client = Bound(2);
  client_->events = {{.kind = EngineEvent::Kind::kStarted, .container = {"", "a"}},
                     {.kind = EngineEvent::Kind::kStarted,
                      .container = {"", "b"},
                      .name = std::string(65 << 10, 'x')}};
  std::vector<EngineEvent::Kind> kinds;

  EXPECT_THAT(client->Watch(
                  absl::InfinitePast(), {}, [] {},
                  [&kinds](const EngineEvent& event) { kinds.push_back(event.kind); }),
              IsOk());

  EXPECT_THAT(kinds, ElementsAre(EngineEvent::Kind::kStarted, EngineEvent::Kind::kLost));
}

TEST_F(BoundedClientTest, SharesWhatSeveralMayTake) {
  const auto shared = std::make_shared<ByteBudget>(10 * kRow);
  auto first = Bound(8, shared);
  Tell(8);
  EXPECT_THAT(List(first.get()), IsOk());
  const auto second = Bound(8, shared);
  Tell(3);
  EXPECT_THAT(List(second.get()),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("others like it")));
  Tell(2);
  EXPECT_THAT(List(second.get()), IsOk());
  first.reset();
  Tell(8);
  EXPECT_THAT(List(second.get()), IsOk());
}

}  // namespace
}  // namespace nsctl::engines
