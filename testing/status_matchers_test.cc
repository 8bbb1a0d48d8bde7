#include "testing/status_matchers.h"

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(StatusMatchers, TellOkFromFailure) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(absl::InternalError("x"), Not(IsOk()));
}

TEST(StatusMatchers, LookAtTheValueHeld) {
  EXPECT_THAT(absl::StatusOr<int>(1), IsOkAndHolds(1));
  EXPECT_THAT(absl::StatusOr<int>(1), Not(IsOkAndHolds(2)));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), IsOkAndHolds(StartsWith("ab")));
  EXPECT_THAT(absl::StatusOr<int>(absl::InternalError("x")), Not(IsOkAndHolds(1)));
}

TEST(StatusMatchers, CompareCodeAndMessage) {
  const absl::Status status = absl::NotFoundError("no such thing");

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "no such thing"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("such")));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kInternal, "no such thing")));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kNotFound, "no such")));
}

TEST(StatusMatchers, CompareErrno) {
  EXPECT_THAT(base::ErrnoStatus(ENOENT, "open"), HasErrno(ENOENT));
  EXPECT_THAT(base::ErrnoStatus(ENOENT, "open"), Not(HasErrno(ESRCH)));
  EXPECT_THAT(absl::StatusOr<int>(base::ErrnoStatus(EPERM, "open")), HasErrno(EPERM));
  EXPECT_THAT(absl::NotFoundError("x"), Not(HasErrno(ENOENT)));
}

TEST(StatusMatchers, ShowTheStatusOfAMismatch) {
  const absl::StatusOr<int> result = base::ErrnoStatus(ENOENT, "open", "/x");
  ::testing::StringMatchResultListener listener;

  ::testing::ExplainMatchResult(IsOkAndHolds(1), result, &listener);

  EXPECT_THAT(listener.str(), HasSubstr("open /x: No such file or directory (ENOENT)"));
}

}  // namespace
}  // namespace nsctl::testing
