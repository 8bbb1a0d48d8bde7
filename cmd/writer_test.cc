#include "cmd/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

struct Pipe {
  base::OwnedFd reader;
  base::OwnedFd writer;
};

Pipe MakePipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {base::OwnedFd(ends[0]), base::OwnedFd(ends[1])};
}

TEST(FdWriter, HoldsBytesUntilItIsFlushed) {
  Pipe pipe = MakePipe();
  FdWriter writer(pipe.writer);

  writer.Append("one ");
  writer.Append("two");
  ASSERT_TRUE(writer.Flush().ok());
  ASSERT_TRUE(pipe.writer.Close().ok());

  std::string text;
  ASSERT_TRUE(base::ReadToEnd(pipe.reader, 100, &text).ok());
  EXPECT_EQ(text, "one two");
}

TEST(FdWriter, KeepsTheFirstErrorAndDropsTheRest) {
  base::OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
  if (!full.ok()) GTEST_SKIP() << "no /dev/full";
  FdWriter writer(full);

  writer.Append("lost");
  const absl::Status first = writer.Flush();
  writer.Append("dropped");
  const absl::Status second = writer.Flush();

  EXPECT_EQ(base::ErrnoOf(first), ENOSPC);
  EXPECT_EQ(second, first);
  EXPECT_FALSE(writer.ok());
}

TEST(FdWriter, SendsLargeOutputOnItsOwn) {
  base::OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
  if (!full.ok()) GTEST_SKIP() << "no /dev/full";
  FdWriter writer(full);

  writer.Append(std::string(1 << 20, 'x'));

  EXPECT_FALSE(writer.ok());
}

TEST(WriterSink, StopsTheSerializerOnceAWriteFailed) {
  base::OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
  if (!full.ok()) GTEST_SKIP() << "no /dev/full";
  FdWriter writer(full);
  WriterSink sink(&writer);

  EXPECT_TRUE(sink.Write("x", 1));
  writer.Append(std::string(1 << 20, 'x'));
  EXPECT_FALSE(sink.Write("x", 1));
}

}  // namespace
}  // namespace nsctl::cmd
