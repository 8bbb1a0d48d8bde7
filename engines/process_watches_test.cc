#include "engines/process_watches.h"

#include <sys/eventfd.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/container_process.h"
#include "engines/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// One that the kernel gave no descriptor for.
class BlindProcess : public FakeProcess {
 public:
  using FakeProcess::FakeProcess;
  int poll_fd() const override { return -1; }
};

TEST(ProcessWatches, TellWhatEndedUntilItIsUnwatched) {
  ProcessWatches watches;
  const auto one = std::make_shared<FakeProcess>(1, 1);
  const auto other = std::make_shared<FakeProcess>(2, 1);
  watches.Watch(7, one);
  watches.Watch(8, other);
  EXPECT_THAT(watches.Wait(absl::Now()), IsEmpty());

  one->End();
  other->End();
  EXPECT_THAT(watches.Wait(absl::InfiniteFuture()), UnorderedElementsAre(7, 8));
  watches.Unwatch(7);
  watches.Unwatch(7);

  EXPECT_THAT(watches.Wait(absl::InfiniteFuture()), ElementsAre(8));
}

TEST(ProcessWatches, LookWhereTheyCannotWait) {
  ProcessWatches watches;
  const auto blind = std::make_shared<BlindProcess>(1, 1);
  const auto other = std::make_shared<FakeProcess>(2, 1);
  watches.Watch(7, blind);
  watches.Watch(8, other);
  EXPECT_THAT(watches.Wait(absl::InfiniteFuture()), IsEmpty());

  blind->End();
  other->End();

  EXPECT_THAT(watches.Wait(absl::InfiniteFuture()), UnorderedElementsAre(7, 8));
}

TEST(ProcessWatches, AreWokenByADescriptor) {
  ProcessWatches watches;
  const base::OwnedFd wake(eventfd(1, EFD_CLOEXEC), "eventfd");
  watches.WatchFd(9, wake);

  EXPECT_THAT(watches.Wait(absl::InfiniteFuture()), ElementsAre(9));
}

}  // namespace
}  // namespace nsctl::engines
