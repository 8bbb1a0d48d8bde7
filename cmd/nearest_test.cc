#include "cmd/nearest.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(EditDistance, CountsSingleSlips) {
  struct Case {
    const char* a;
    const char* b;
    size_t distance;
  };
  const Case cases[] = {
      {"", "", 0},
      {"", "abc", 3},
      {"abc", "", 3},
      {"list", "list", 0},
      {"lsit", "list", 1},
      {"lis", "list", 1},
      {"listt", "list", 1},
      {"lost", "list", 1},
      {"NET", "net", 0},
      {"tree", "free", 1},
      {"snpashto", "snapshot", 2},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(EditDistance(c.a, c.b), c.distance) << c.a << " " << c.b;
  }
}

TEST(NearestWord, FindsWhatWasMeant) {
  struct Case {
    const char* word;
    std::optional<std::string> nearest;
  };
  const Case cases[] = {
      {"lisst", "list"},  {"lsit", "list"},       {"tre", "tree"}, {"snap", "snapshot"},
      {"LIST", "list"},   {"versoin", "version"}, {"xyzzy", {}},   {"", {}},
      {"completely", {}}, {"l", "list"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(NearestWord(c.word, {"list", "tree", "snapshot", "version"}), Eq(c.nearest))
        << c.word;
  }
}

TEST(NearestWord, PrefersTheFirstAmongEquals) {
  EXPECT_THAT(NearestWord("col", {"columns", "color"}), Optional(Eq("columns")));
}

TEST(NearestWord, IsNotAskedForVeryLongWords) {
  EXPECT_THAT(NearestWord(std::string(1 << 20, 'a'), {"list"}), Eq(std::nullopt));
}

}  // namespace
}  // namespace nsctl::cmd
