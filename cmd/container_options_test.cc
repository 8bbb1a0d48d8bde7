#include "cmd/container_options.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cmd/usage.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

struct DurationCase {
  const char* name;
  std::string word;
  absl::Duration duration;
};

class DurationWord : public ::testing::TestWithParam<DurationCase> {};

TEST_P(DurationWord, IsRead) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const absl::Duration duration,
                             ParseDuration("--wait", GetParam().word));

  EXPECT_EQ(duration, GetParam().duration);
}

INSTANTIATE_TEST_SUITE_P(
    All, DurationWord,
    ::testing::Values(DurationCase{"Seconds", "2s", absl::Seconds(2)},
                      DurationCase{"Milliseconds", "500ms", absl::Milliseconds(500)},
                      DurationCase{"Mixed", "1m30s", absl::Seconds(90)},
                      DurationCase{"Number", "3", absl::Seconds(3)},
                      DurationCase{"Fraction", "0.25", absl::Milliseconds(250)},
                      DurationCase{"Nothing", "0", absl::ZeroDuration()},
                      DurationCase{"Day", "24h", absl::Hours(24)}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* const word : {"", "-1", "-1s", "soon", "nan", "inf", "25h", "1e300", "2 s"}) {
    const absl::Status status = ParseDuration("--wait", word).status();
    EXPECT_TRUE(IsUsageError(status)) << word;
    EXPECT_EQ(status.message(),
              absl::StrCat("--wait is a duration such as 2s or 500ms, not \"", word, "\""));
  }
}

}  // namespace
}  // namespace nsctl::cmd
