#include "base/collect_ids.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOkAndHolds;
using ::nsctl::testing::StatusIs;

// Lists like the kernel: ids above the cursor, as many as there is room for.
class FakeList {
 public:
  // The ids are 10, 20, 30, ...
  explicit FakeList(size_t size) : ids_(size) {
    for (size_t i = 0; i < size; ++i) ids_[i] = (i + 1) * 10;
  }

  absl::StatusOr<size_t> operator()(uint64_t after, absl::Span<uint64_t> out) const {
    ++calls_;
    const auto first = std::upper_bound(ids_.begin(), ids_.end(), after);
    const size_t count = std::min(static_cast<size_t>(ids_.end() - first), out.size());
    std::copy_n(first, count, out.begin());
    return count;
  }

  const std::vector<uint64_t>& ids() const { return ids_; }
  int calls() const { return calls_; }

 private:
  std::vector<uint64_t> ids_;
  mutable int calls_ = 0;
};

TEST(CollectIds, ReturnsAllInOrderWhateverTheirNumber) {
  for (const size_t size : {0, 1, 255, 256, 257, 767, 768, 769, 100000}) {
    SCOPED_TRACE(size);
    FakeList list(size);

    EXPECT_THAT(CollectIds(size, list), IsOkAndHolds(list.ids()));
  }
}

TEST(CollectIds, AsksOnceForAUsualNumber) {
  FakeList list(100);

  ASSERT_THAT(CollectIds(1000, list), IsOkAndHolds(list.ids()));

  EXPECT_EQ(list.calls(), 1);
}

TEST(CollectIds, StopsAtTheLimit) {
  FakeList list(1000);
  EXPECT_THAT(CollectIds(999, list),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 999 ids"));
}

TEST(CollectIds, StopsAtTheLimitWhereTheKernelNeverEnds) {
  const auto same_ids_again = [](uint64_t, absl::Span<uint64_t> out) -> absl::StatusOr<size_t> {
    std::iota(out.begin(), out.end(), 1);
    return out.size();
  };
  EXPECT_THAT(CollectIds(100000, same_ids_again),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 100000 ids"));
}

TEST(CollectIds, ReturnsTheListsError) {
  int calls = 0;
  const auto fails_later = [&](uint64_t, absl::Span<uint64_t> out) -> absl::StatusOr<size_t> {
    if (++calls == 2) return ErrnoStatus(EPERM, "listmount");
    std::iota(out.begin(), out.end(), 1);
    return out.size();
  };
  EXPECT_THAT(CollectIds(100000, fails_later), HasErrno(EPERM));
}

}  // namespace
}  // namespace nsctl::base
