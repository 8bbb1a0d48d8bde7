#include "base/feature_probe.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

std::vector<Feature> Probe() {
  const OwnedFd own(open("/proc/self/ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "own namespaces");
  return ProbeFeatures(own);
}

TEST(FeatureStateFromErrno, JudgesTheAttempt) {
  struct Case {
    int error;
    FeatureState state;
  };
  const Case cases[] = {
      {0, FeatureState::kAvailable},        {ENOSYS, FeatureState::kMissing},
      {ENOTTY, FeatureState::kMissing},     {EINVAL, FeatureState::kMissing},
      {EOPNOTSUPP, FeatureState::kMissing}, {E2BIG, FeatureState::kMissing},
      {ENOENT, FeatureState::kMissing},     {ENOPROTOOPT, FeatureState::kMissing},
      {EPERM, FeatureState::kDenied},       {EACCES, FeatureState::kDenied},
      {EMFILE, FeatureState::kUnknown},     {EIO, FeatureState::kUnknown},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(ErrnoName(c.error));
    EXPECT_EQ(FeatureStateFromErrno(c.error), c.state);
  }
}

TEST(FeatureStateName, IsAWordEach) {
  EXPECT_STREQ(FeatureStateName(FeatureState::kAvailable), "available");
  EXPECT_STREQ(FeatureStateName(FeatureState::kMissing), "missing");
  EXPECT_STREQ(FeatureStateName(FeatureState::kDenied), "denied");
  EXPECT_STREQ(FeatureStateName(FeatureState::kUnknown), "unknown");
}

TEST(ProbeFeatures, DescribesEachFeatureOnce) {
  std::set<std::string> names;
  for (const Feature& feature : Probe()) {
    SCOPED_TRACE(feature.name);
    EXPECT_TRUE(names.insert(feature.name).second);
    EXPECT_THAT(feature.since, Not(IsEmpty()));
    EXPECT_THAT(feature.consequence, Not(IsEmpty()));
    EXPECT_EQ(feature.state == FeatureState::kAvailable, feature.error == 0);
    EXPECT_NE(feature.state, FeatureState::kUnknown) << ErrnoName(feature.error);
  }
}

TEST(ProbeFeatures, SaysTheSameAgain) { EXPECT_EQ(Probe(), Probe()); }

TEST(ProbeFeatures, CannotKnowWithoutProcfs) {
  for (const Feature& feature : ProbeFeatures(FdRef(-1, "nothing"))) {
    if (feature.name == "NS_GET_NSTYPE") {
      EXPECT_EQ(feature.error, EBADF);
      EXPECT_EQ(feature.state, FeatureState::kUnknown);
    }
  }
}

// Major and minor of the running kernel.
std::pair<int, int> KernelVersion() {
  struct utsname name;
  std::pair<int, int> version;
  if (uname(&name) != 0) return version;
  std::sscanf(name.release, "%d.%d", &version.first, &version.second);
  return version;
}

// Seen on unmodified Debian and mainline kernels of these versions. Others are not asked:
// distributions backport.
TEST(ProbeFeatures, FindsNothingMissingThatTheVersionHas) {
  const std::pair<int, int> running = KernelVersion();
  const std::set<std::pair<int, int>> seen = {{5, 10}, {6, 1}, {6, 12}, {6, 16}, {6, 17}, {6, 18},
                                              {6, 19}, {7, 0}, {7, 1},  {7, 2},  {7, 3}};
  if (seen.count(running) == 0) GTEST_SKIP() << "needs a kernel whose features are known";
  // 6.12 had this one early, 6.16 lost it again.
  const std::set<std::string> unsteady = {"mnt_id_req.mnt_ns_fd"};

  for (const Feature& feature : Probe()) {
    SCOPED_TRACE(feature.name);
    if (unsteady.count(feature.name) != 0) continue;
    std::pair<int, int> since;
    ASSERT_EQ(std::sscanf(feature.since.c_str(), "%d.%d", &since.first, &since.second), 2);
    const bool missing = feature.state == FeatureState::kMissing;
    EXPECT_EQ(missing, running < since) << ErrnoName(feature.error);
  }
}

}  // namespace
}  // namespace nsctl::base
