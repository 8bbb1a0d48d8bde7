#include "engines/change_queue.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Change ChangeOf(uint64_t revision, const std::string& name = "") {
  Change change;
  change.set_revision(revision);
  change.mutable_container()->set_name(name);
  return change;
}

std::vector<uint64_t> Revisions(const ChangeQueue::Taken& taken) {
  std::vector<uint64_t> revisions;
  for (const Change& change : taken.changes) revisions.push_back(change.revision());
  return revisions;
}

TEST(ChangeQueue, GivesAllInOrder) {
  ChangeQueue queue(3);
  EXPECT_TRUE(queue.empty());
  queue.Push(ChangeOf(1), "host", false);
  queue.Push(ChangeOf(2), "guest", true);
  EXPECT_FALSE(queue.empty());

  ChangeQueue::Taken taken = queue.Take();

  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(taken.lost_all);
  // One of three is more than an eighth.
  EXPECT_THAT(Revisions(taken), ElementsAre(1));
  EXPECT_THAT(taken.lost, ElementsAre("guest"));
}

TEST(ChangeQueue, LosesAllWhereTheHostTellsTooMuch) {
  ChangeQueue queue(2);
  for (uint64_t i = 1; i <= 3; ++i) queue.Push(ChangeOf(i), "host", false);
  queue.Push(ChangeOf(4), "host", false);

  const ChangeQueue::Taken taken = queue.Take();
  EXPECT_TRUE(taken.lost_all);
  EXPECT_THAT(taken.changes, IsEmpty());
  queue.Push(ChangeOf(5), "host", false);

  EXPECT_THAT(Revisions(queue.Take()), ElementsAre(5));
}

TEST(ChangeQueue, AGuestThatTellsTooMuchLosesItsOwn) {
  ChangeQueue queue(80);
  queue.Push(ChangeOf(1), "host", false);
  queue.Push(ChangeOf(2), "quiet guest", true);
  for (uint64_t i = 3; i < 1000; ++i) queue.Push(ChangeOf(i), "guest", true);
  queue.Push(ChangeOf(1000), "host", false);

  ChangeQueue::Taken taken = queue.Take();
  EXPECT_FALSE(taken.lost_all);
  EXPECT_THAT(Revisions(taken), ElementsAre(1, 2, 1000));
  EXPECT_THAT(taken.lost, ElementsAre("guest"));
  // It begins anew.
  queue.Push(ChangeOf(1001), "guest", true);
  taken = queue.Take();
  EXPECT_THAT(Revisions(taken), ElementsAre(1001));
  EXPECT_THAT(taken.lost, IsEmpty());
}

TEST(ChangeQueue, ManyGuestsLeaveRoomForTheHost) {
  ChangeQueue queue(80);
  for (uint64_t i = 0; i < 1000; ++i) queue.Push(ChangeOf(i), absl::StrCat("guest", i), true);
  for (uint64_t i = 1000; i < 1080; ++i) queue.Push(ChangeOf(i), "host", false);

  const ChangeQueue::Taken taken = queue.Take();

  EXPECT_FALSE(taken.lost_all);
  ASSERT_EQ(taken.changes.size(), 80);
  EXPECT_EQ(taken.changes.front().revision(), 1000);
}

TEST(ChangeQueue, CountsBytes) {
  constexpr size_t kLarge = 10'000;
  ChangeQueue queue(1000, 16 * kLarge);
  queue.Push(ChangeOf(1), "host", false);
  for (uint64_t i = 2; i < 10; ++i) queue.Push(ChangeOf(i, std::string(kLarge, 'x')), "big", true);
  EXPECT_THAT(queue.Take().lost, ElementsAre("big"));
  for (uint64_t i = 2; i < 20; ++i) queue.Push(ChangeOf(i, std::string(kLarge, 'x')), "h", false);

  EXPECT_TRUE(queue.Take().lost_all);
}

}  // namespace
}  // namespace nsctl::engines
