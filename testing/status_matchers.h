// GoogleTest matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(Close(), IsOk());
//   EXPECT_THAT(ParsePid("12"), IsOkAndHolds(Pid{12}));
//   EXPECT_THAT(ParsePid("x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x")));
//   EXPECT_THAT(OpenAt(dir, "gone", O_RDONLY), HasErrno(ENOENT));
//   NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd fd, OpenAt(dir, "there", O_RDONLY));
//
// Inside namespace nsctl, GoogleTest's own names need leading colons (::testing::Eq): this folder's
// namespace is nsctl::testing.

#ifndef NSCTL_TESTING_STATUS_MATCHERS_H_
#define NSCTL_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::testing {
namespace internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// GoogleTest prints an absl::StatusOr as bytes, so each matcher says what the status is.
inline void Explain(const absl::Status& status, ::testing::MatchResultListener* listener) {
  *listener << "whose status is " << status;
}

class IsOkMatcher {
 public:
  using is_gtest_matcher = void;

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& value, ::testing::MatchResultListener* listener) const {
    Explain(StatusOf(value), listener);
    return StatusOf(value).ok();
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK"; }
};

class HasErrnoMatcher {
 public:
  using is_gtest_matcher = void;

  explicit HasErrnoMatcher(int error) : error_(error) {}

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& value, ::testing::MatchResultListener* listener) const {
    Explain(StatusOf(value), listener);
    return base::ErrnoOf(StatusOf(value)) == error_;
  }
  void DescribeTo(std::ostream* os) const { *os << "comes from errno " << base::ErrnoName(error_); }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "does not come from errno " << base::ErrnoName(error_);
  }

 private:
  int error_;
};

class StatusIsMatcher {
 public:
  using is_gtest_matcher = void;

  StatusIsMatcher(absl::StatusCode code, ::testing::Matcher<std::string> message)
      : code_(code), message_(std::move(message)) {}

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& value, ::testing::MatchResultListener* listener) const {
    const absl::Status& status = StatusOf(value);
    Explain(status, listener);
    return status.code() == code_ &&
           message_.MatchAndExplain(std::string(status.message()), listener);
  }
  void DescribeTo(std::ostream* os) const {
    *os << "has the code " << absl::StatusCodeToString(code_) << " and a message that ";
    message_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "has not the code " << absl::StatusCodeToString(code_) << " or has a message that ";
    message_.DescribeNegationTo(os);
  }

 private:
  absl::StatusCode code_;
  ::testing::Matcher<std::string> message_;
};

template <typename ValueMatcher>
class IsOkAndHoldsMatcher {
 public:
  using is_gtest_matcher = void;

  explicit IsOkAndHoldsMatcher(ValueMatcher value) : value_(std::move(value)) {}

  template <typename T>
  bool MatchAndExplain(const absl::StatusOr<T>& result,
                       ::testing::MatchResultListener* listener) const {
    if (!result.ok()) {
      Explain(result.status(), listener);
      return false;
    }
    *listener << "whose value is " << ::testing::PrintToString(*result) << " ";
    return ::testing::SafeMatcherCast<const T&>(value_).MatchAndExplain(*result, listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK and holds the value asked for"; }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not OK or holds another value than the one asked for";
  }

 private:
  ValueMatcher value_;
};

}  // namespace internal

// Each takes an absl::Status or an absl::StatusOr, but for IsOkAndHolds, which needs the latter.

inline internal::IsOkMatcher IsOk() { return {}; }

// `value` is a value or a matcher for one.
template <typename ValueMatcher>
internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>> IsOkAndHolds(ValueMatcher&& value) {
  return internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>>(
      std::forward<ValueMatcher>(value));
}

// `message` is the whole message or a matcher for it.
template <typename MessageMatcher>
internal::StatusIsMatcher StatusIs(absl::StatusCode code, MessageMatcher&& message) {
  return internal::StatusIsMatcher(
      code, ::testing::MatcherCast<std::string>(std::forward<MessageMatcher>(message)));
}
inline internal::StatusIsMatcher StatusIs(absl::StatusCode code) {
  return StatusIs(code, ::testing::_);
}

// A status made by base::ErrnoStatus from `error`.
inline internal::HasErrnoMatcher HasErrno(int error) { return internal::HasErrnoMatcher(error); }

}  // namespace nsctl::testing

#define NSCTL_TESTING_CONCAT_INNER_(a, b) a##b
#define NSCTL_TESTING_CONCAT_(a, b) NSCTL_TESTING_CONCAT_INNER_(a, b)

// Evaluates `expression` (an absl::StatusOr<T>) once; ends the test with a fatal failure if it is
// not OK, else assigns its value to `declaration`.
#define NSCTL_ASSERT_OK_AND_ASSIGN(declaration, expression)                                 \
  auto NSCTL_TESTING_CONCAT_(nsctl_status_or_, __LINE__) = (expression);                    \
  ASSERT_THAT(NSCTL_TESTING_CONCAT_(nsctl_status_or_, __LINE__), ::nsctl::testing::IsOk()); \
  declaration = *std::move(NSCTL_TESTING_CONCAT_(nsctl_status_or_, __LINE__))

#endif  // NSCTL_TESTING_STATUS_MATCHERS_H_
