#include "base/status_macros.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::IsOkAndHolds;
using ::nsctl::testing::StatusIs;

absl::Status ReturnIfError(const absl::Status& status, int* evaluations) {
  NSCTL_RETURN_IF_ERROR((++*evaluations, status));
  return absl::AlreadyExistsError("went on");
}

absl::StatusOr<int> AddOne(absl::StatusOr<std::unique_ptr<int>> value, int* evaluations) {
  NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<int> number, (++*evaluations, std::move(value)));
  return *number + 1;
}

absl::StatusOr<int> AddBoth(const absl::StatusOr<int>& first, const absl::StatusOr<int>& second) {
  int sum = 0;
  NSCTL_ASSIGN_OR_RETURN(sum, first);
  NSCTL_ASSIGN_OR_RETURN(const int other, second);
  return sum + other;
}

TEST(ReturnIfError, ReturnsTheFailureAlone) {
  int evaluations = 0;

  EXPECT_THAT(ReturnIfError(absl::NotFoundError("x"), &evaluations),
              StatusIs(absl::StatusCode::kNotFound, "x"));
  EXPECT_THAT(ReturnIfError(absl::OkStatus(), &evaluations),
              StatusIs(absl::StatusCode::kAlreadyExists, "went on"));
  EXPECT_EQ(evaluations, 2);
}

TEST(AssignOrReturn, MovesTheValueOrReturnsTheFailure) {
  int evaluations = 0;

  EXPECT_THAT(AddOne(std::make_unique<int>(1), &evaluations), IsOkAndHolds(2));
  EXPECT_THAT(AddOne(absl::NotFoundError("x"), &evaluations),
              StatusIs(absl::StatusCode::kNotFound, "x"));
  EXPECT_EQ(evaluations, 2);
}

TEST(AssignOrReturn, TakesDeclarationsAndVariablesOneAfterTheOther) {
  EXPECT_THAT(AddBoth(1, 2), IsOkAndHolds(3));
  EXPECT_THAT(AddBoth(1, absl::NotFoundError("second")),
              StatusIs(absl::StatusCode::kNotFound, "second"));
}

}  // namespace
}  // namespace nsctl::base
