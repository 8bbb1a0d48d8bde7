#include "cmd/capabilities.h"

#include <linux/capability.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CapabilityName, AgreesWithTheKernelsHeader) {
  EXPECT_EQ(CapabilityName(CAP_CHOWN), "CAP_CHOWN");
  EXPECT_EQ(CapabilityName(CAP_NET_ADMIN), "CAP_NET_ADMIN");
  EXPECT_EQ(CapabilityName(CAP_SYS_RESOURCE), "CAP_SYS_RESOURCE");
  EXPECT_EQ(CapabilityName(CAP_SETFCAP), "CAP_SETFCAP");
  EXPECT_EQ(CapabilityName(CAP_CHECKPOINT_RESTORE), "CAP_CHECKPOINT_RESTORE");
  EXPECT_EQ(CapabilityName(63), "CAP_63");
}

TEST(CapabilityNumbers, AgreeWithTheKernelsHeader) {
  EXPECT_EQ(kCapDacReadSearch, CAP_DAC_READ_SEARCH);
  EXPECT_EQ(kCapNetAdmin, CAP_NET_ADMIN);
  EXPECT_EQ(kCapSysChroot, CAP_SYS_CHROOT);
  EXPECT_EQ(kCapSysPtrace, CAP_SYS_PTRACE);
  EXPECT_EQ(kCapSysAdmin, CAP_SYS_ADMIN);
  EXPECT_EQ(kCapSysResource, CAP_SYS_RESOURCE);
  EXPECT_GE(kLastNamedCapability, CAP_LAST_CAP);
}

TEST(CapabilityNames, ListsBitsByNumber) {
  EXPECT_THAT(CapabilityNames(0), IsEmpty());
  EXPECT_THAT(CapabilityNames(1 << 21 | 1), ElementsAre("CAP_CHOWN", "CAP_SYS_ADMIN"));
  EXPECT_THAT(CapabilityNames(uint64_t{1} << 63), ElementsAre("CAP_63"));
}

}  // namespace
}  // namespace nsctl::cmd
