#include "engines/short_lives.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = EngineEvent::Kind;

const ContainerId kWeb = {.native_namespace = "", .id = "web"};

absl::Time At(int64_t second) { return absl::FromUnixSeconds(1'700'000'000 + second); }

EngineEvent Event(Kind kind, int64_t second) {
  return {.kind = kind, .container = kWeb, .time = At(second)};
}

std::vector<std::string> Tell(ShortLives* lives, const EngineRow* row = nullptr) {
  std::vector<Change> changes;
  lives->Tell(kWeb, row, At(100), &changes);
  std::vector<std::string> texts;
  for (const Change& change : changes) {
    const Container& container = change.container();
    texts.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ", container.name(), " ",
                                 StateName(container.state()), " ", container.pid()));
    if (container.has_exit_code()) absl::StrAppend(&texts.back(), " ", container.exit_code());
  }
  return texts;
}

TEST(ShortLives, AreToldByTheirEvents) {
  ShortLives lives;
  lives.BeginAt(At(0));
  EngineEvent start = Event(Kind::kStarted, 1);
  start.name = "shop";
  EngineEvent end = Event(Kind::kExited, 2);
  end.exit_code = 3;

  lives.Start(start);
  EXPECT_TRUE(lives.Has(kWeb));
  EXPECT_FALSE(lives.HasEnded(kWeb));
  lives.End(end);
  EXPECT_TRUE(lives.HasEnded(kWeb));

  EXPECT_THAT(Tell(&lives), ElementsAre("started shop running 0", "exited shop exited 0 3"));
  EXPECT_FALSE(lives.Has(kWeb));
}

TEST(ShortLives, AreToldAsTheEngineShowsThem) {
  ShortLives lives;
  lives.BeginAt(At(0));
  lives.Start(Event(Kind::kStarted, 1));
  EngineRow row;
  row.container.set_id("web");
  row.container.set_name("shown");
  row.container.set_state(Container::exited);
  row.container.set_exit_code(4);

  EXPECT_THAT(Tell(&lives, &row),
              ElementsAre("started shown running 0", "exited shown exited 0 4"));
}

TEST(ShortLives, AreToldOnce) {
  ShortLives lives;
  lives.BeginAt(At(0));
  for (int i = 0; i < 3; ++i) {
    lives.Start(Event(Kind::kStarted, 1));
    lives.End(Event(Kind::kExited, 2));
    EXPECT_EQ(Tell(&lives).size(), i == 0 ? 2 : 0);
  }
  // The next one of the same name.
  lives.Start(Event(Kind::kStarted, 3));
  EXPECT_EQ(Tell(&lives).size(), 2);
  // What was told in another way.
  lives.SetTold(kWeb, At(9));
  lives.Start(Event(Kind::kStarted, 5));
  EXPECT_FALSE(lives.Has(kWeb));
}

TEST(ShortLives, DoNotIncludeThoseOfBefore) {
  ShortLives lives;
  lives.BeginAt(At(10));
  lives.BeginAt(At(20));
  lives.Start(Event(Kind::kStarted, 9));
  EXPECT_FALSE(lives.Has(kWeb));
  // Of which nobody knows when.
  EngineEvent undated = Event(Kind::kStarted, 0);
  undated.time = absl::InfinitePast();
  lives.Start(undated);
  EXPECT_FALSE(lives.Has(kWeb));
  lives.End(Event(Kind::kExited, 15));
  EXPECT_THAT(Tell(&lives), IsEmpty());

  lives.Start(Event(Kind::kStarted, 15));
  // An end of before its start is another one's.
  lives.End(Event(Kind::kExited, 14));
  EXPECT_FALSE(lives.HasEnded(kWeb));
}

TEST(ShortLives, AreRememberedInBoundedMemory) {
  ShortLives lives;
  lives.BeginAt(At(0));
  for (int i = 0; i < 30'000; ++i) lives.SetTold({"", absl::StrCat(i)}, At(5));

  // What was forgotten counts as told.
  EngineEvent event = Event(Kind::kStarted, 5);
  event.container.id = "0";
  lives.Start(event);
  EXPECT_FALSE(lives.Has(event.container));
  event.time = At(6);
  lives.Start(event);
  EXPECT_TRUE(lives.Has(event.container));
}

}  // namespace
}  // namespace nsctl::engines
