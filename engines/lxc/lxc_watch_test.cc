#include "engines/lxc/lxc_watch.h"

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::engines::lxc {
namespace {

using ::testing::ElementsAre;

absl::Time At(int milliseconds) { return absl::UnixEpoch() + absl::Milliseconds(milliseconds); }

// Milliseconds of all looks until there is none to come, or `count` were done.
std::vector<int64_t> LooksOf(Settling* settling, int count = 10) {
  std::vector<int64_t> looks;
  while (settling->next() != absl::InfiniteFuture() && count-- > 0) {
    looks.push_back(absl::ToUnixMillis(settling->next()));
    EXPECT_TRUE(settling->IsDue(settling->next()));
  }
  return looks;
}

TEST(Settling, LooksLessAndLessOften) {
  Settling settling;
  EXPECT_FALSE(settling.IsDue(At(1'000'000)));

  settling.Start(At(0));

  EXPECT_FALSE(settling.IsDue(At(9)));
  EXPECT_THAT(LooksOf(&settling), ElementsAre(10, 40, 140, 440, 1440));
  EXPECT_FALSE(settling.IsDue(At(1'000'000)));
}

TEST(Settling, IsNotHurriedByWhatComesMeanwhile) {
  Settling settling;
  settling.Start(At(0));
  settling.Start(At(5));
  settling.Start(At(8));

  EXPECT_THAT(LooksOf(&settling, 6), ElementsAre(10, 40, 140, 440, 1440, 1450));
}

}  // namespace
}  // namespace nsctl::engines::lxc
