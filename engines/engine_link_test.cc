#include "engines/engine_link.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "base/fd.h"
#include "base/test_child.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using base::TestChild;
using testing::HasErrno;
using testing::IsOk;
using testing::TestDirectory;

// Listens at `path`, which may be longer than a socket's address: 0 or an errno.
int Listen(const std::string& directory, const char* name) {
  if (chdir(directory.c_str()) != 0) return errno;  // NSCTL_ALLOW(chdir): a child of the test's.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(name);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return errno;
  return listen(fd, 8) == 0 ? 0 : errno;
}

class EngineLinkTest : public ::testing::Test {
 protected:
  absl::StatusOr<TestChild> StartListener(int namespaces) {
    return TestChild::Start(namespaces,
                            [this] { return Listen(directory_.path(), "engine.sock"); });
  }

  TestDirectory directory_;
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  EngineLink link_{procfs_, *procfsroot::Root::OfPath(directory_.path()), "/engine.sock"};
};

TEST_F(EngineLinkTest, KnowsWhoAnswers) {
  absl::StatusOr<TestChild> engine = StartListener(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(engine, IsOk());
  EXPECT_FALSE(link_.peer().has_value());

  ASSERT_THAT(link_.Connect(), IsOk());

  ASSERT_TRUE(link_.peer().has_value());
  EXPECT_EQ(link_.peer()->pid, engine->pid());
  EXPECT_EQ(link_.peer()->uid, getuid());
}

TEST_F(EngineLinkTest, FollowsARestart) {
  absl::StatusOr<TestChild> engine = StartListener(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(engine, IsOk());
  const auto finder = link_.MakeFinder();
  EXPECT_THAT(finder->Find(1), HasErrno(ESRCH));
  ASSERT_THAT(link_.Connect(), IsOk());
  EXPECT_THAT(finder->Find(engine->pid().value), HasErrno(EPERM));
  engine->Stop();
  EXPECT_THAT(link_.Connect(), HasErrno(ECONNREFUSED));

  // In a PID namespace of its own this time, where it is process 1.
  absl::StatusOr<TestChild> again = StartListener(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(again.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(again, IsOk());
  ASSERT_THAT(link_.Connect(), IsOk());

  EXPECT_EQ(link_.peer()->pid, again->pid());
  EXPECT_THAT(finder->Find(1), HasErrno(EPERM));
  EXPECT_THAT(finder->Find(getpid()), HasErrno(ESRCH));
}

TEST_F(EngineLinkTest, ConnectsToSocketsAlone) {
  EXPECT_THAT(link_.Connect(), HasErrno(ENOENT));
  const std::string path = directory_.path() + "/engine.sock";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(link_.Connect(), HasErrno(ENOTSOCK));
}

}  // namespace
}  // namespace nsctl::engines
