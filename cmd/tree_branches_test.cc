#include "cmd/tree_branches.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DrawBranches, DrawsATree) {
  EXPECT_THAT(DrawBranches({0, 1, 2, 2, 1, 2, 0, 1}, kUnicodeGlyphs),
              ElementsAre("", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ ", "", "└─ "));
  EXPECT_THAT(DrawBranches({}, kUnicodeGlyphs), IsEmpty());
}

// Where rows in between were left out by a filter, a child may be more than one level deeper.
TEST(DrawBranches, BridgesMissingLevels) {
  EXPECT_THAT(DrawBranches({0, 2, 1}, kUnicodeGlyphs), ElementsAre("", "│  └─ ", "└─ "));
}

TEST(DrawBranches, StopsAtTheDeepestLevel) {
  EXPECT_THAT(DrawBranches({0, 1, 2, 3, 4}, kUnicodeGlyphs, 2),
              ElementsAre("", "└─ ", "   ├─ ", "   ├─ ", "   └─ "));
}

}  // namespace
}  // namespace nsctl::cmd
