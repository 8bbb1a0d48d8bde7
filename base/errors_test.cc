#include "base/errors.h"

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::StatusIs;

TEST(ErrnoStatus, SaysWhatFailedOnWhichPathAndWhy) {
  EXPECT_THAT(ErrnoStatus(ENOENT, "openat", "/run/netns/x"),
              StatusIs(absl::StatusCode::kNotFound,
                       "openat /run/netns/x: No such file or directory (ENOENT)"));
  EXPECT_THAT(ErrnoStatus(EPERM, "setns"), StatusIs(absl::StatusCode::kPermissionDenied,
                                                    "setns: Operation not permitted (EPERM)"));
}

TEST(ErrnoStatus, EscapesThePath) {
  EXPECT_THAT(ErrnoStatus(EACCES, "openat", "/tmp/a\nb\x1b[2J\\\xff"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       R"(openat /tmp/a\x0ab\x1b[2J\\\xff: Permission denied (EACCES))"));
}

TEST(ErrnoStatus, IsNeverOk) {
  EXPECT_THAT(ErrnoStatus(0, "read"), StatusIs(absl::StatusCode::kUnknown, "read: Success (E0)"));
}

TEST(ErrnoStatus, NamesNumbersWithoutAName) {
  EXPECT_THAT(ErrnoStatus(4095, "read"),
              StatusIs(absl::StatusCode::kUnknown, "read: unknown error (E4095)"));
}

TEST(ErrnoOf, FindsTheErrnoAgain) {
  EXPECT_EQ(ErrnoOf(ErrnoStatus(ESRCH, "kill", "7")), ESRCH);
  EXPECT_EQ(ErrnoOf(absl::OkStatus()), 0);
  EXPECT_EQ(ErrnoOf(absl::NotFoundError("not from a system call")), 0);
}

TEST(ErrnoName, IsTheConstantsName) {
  EXPECT_EQ(ErrnoName(EACCES), "EACCES");
  EXPECT_EQ(ErrnoName(EOPNOTSUPP), "EOPNOTSUPP");
  EXPECT_EQ(ErrnoName(0), "E0");
  EXPECT_EQ(ErrnoName(4095), "E4095");
}

TEST(ErrorKinds, FollowTheErrnoAlone) {
  struct Case {
    int error;
    bool gone;
    bool denied;
    bool unsupported;
  };
  const Case cases[] = {
      {0, false, false, false},
      {ENOENT, true, false, false},
      {ESRCH, true, false, false},
      {EACCES, false, true, false},
      {EPERM, false, true, false},
      {ENOSYS, false, false, true},
      {ENOTTY, false, false, true},
      {EOPNOTSUPP, false, false, true},
      {EINVAL, false, false, true},
      {E2BIG, false, false, true},
      {ENOTDIR, false, false, false},
      {EIO, false, false, false},
      {ENAMETOOLONG, false, false, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(ErrnoName(c.error));
    const absl::Status status = ErrnoStatus(c.error, "call");
    EXPECT_EQ(IsGone(c.error), c.gone);
    EXPECT_EQ(IsGone(status), c.gone);
    EXPECT_EQ(IsDenied(c.error), c.denied);
    EXPECT_EQ(IsDenied(status), c.denied);
    EXPECT_EQ(IsUnsupported(c.error), c.unsupported);
    EXPECT_EQ(IsUnsupported(status), c.unsupported);
  }
}

TEST(ErrorKinds, DoNotFollowTheCode) {
  EXPECT_FALSE(IsGone(absl::NotFoundError("")));
  EXPECT_FALSE(IsDenied(absl::PermissionDeniedError("")));
  EXPECT_FALSE(IsUnsupported(absl::UnimplementedError("")));
  EXPECT_FALSE(IsGone(absl::OkStatus()));
}

TEST(Annotate, PutsContextBeforeTheMessageAndKeepsTheRest) {
  absl::Status status = ErrnoStatus(ESRCH, "read", "stat");
  status.SetPayload("other", absl::Cord("kept"));

  const absl::Status annotated = Annotate(status, "process 7");

  EXPECT_THAT(annotated, StatusIs(absl::StatusCode::kNotFound,
                                  "process 7: read stat: No such process (ESRCH)"));
  EXPECT_THAT(annotated, HasErrno(ESRCH));
  EXPECT_EQ(annotated.GetPayload("other"), absl::Cord("kept"));
}

TEST(Annotate, LeavesOkAlone) { EXPECT_EQ(Annotate(absl::OkStatus(), "x"), absl::OkStatus()); }

}  // namespace
}  // namespace nsctl::base
