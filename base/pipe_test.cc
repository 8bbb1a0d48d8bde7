#include "base/pipe.h"

#include <fcntl.h>

#include <string>

#include "base/fd.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using testing::IsOk;

TEST(Pipe, PassesBytesAndIsNotForOtherPrograms) {
  NSCTL_ASSERT_OK_AND_ASSIGN(Pipe pipe, MakePipe());

  ASSERT_THAT(WriteAll(pipe.write_end, "bytes"), IsOk());
  ASSERT_THAT(pipe.write_end.Close(), IsOk());

  std::string text;
  EXPECT_THAT(ReadToEnd(pipe.read_end, 100, &text), IsOk());
  EXPECT_EQ(text, "bytes");
  EXPECT_EQ(fcntl(pipe.read_end.get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace nsctl::base
