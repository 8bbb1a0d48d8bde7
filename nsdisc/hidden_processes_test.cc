#include "nsdisc/hidden_processes.h"

#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

struct OptionsCase {
  const char* name;
  const char* options;
  bool sees_all;
  bool hides;
};

class HidingOptions : public ::testing::TestWithParam<OptionsCase> {};

TEST_P(HidingOptions, AreToldFromHarmlessOnes) {
  EXPECT_EQ(OptionsHideProcesses(GetParam().options, GetParam().sees_all,
                                 [](gid_t group) { return group == 7; }),
            GetParam().hides);
}

// Kernels before 5.8 print the number, later ones the word (fs/proc/root.c).
INSTANTIATE_TEST_SUITE_P(
    Proc, HidingOptions,
    ::testing::Values(OptionsCase{"None", "rw", false, false},
                      OptionsCase{"Empty", "", false, false},
                      OptionsCase{"NoAccess", "rw,hidepid=1", false, false},
                      OptionsCase{"Two", "rw,hidepid=2", false, true},
                      OptionsCase{"Invisible", "rw,hidepid=invisible", false, true},
                      OptionsCase{"SeesAll", "rw,hidepid=invisible", true, false},
                      OptionsCase{"Member", "rw,gid=7,hidepid=2", false, false},
                      OptionsCase{"NoMember", "rw,gid=8,hidepid=2", false, true},
                      OptionsCase{"Ptraceable", "rw,hidepid=ptraceable", true, true},
                      OptionsCase{"Four", "rw,gid=7,hidepid=4", false, true}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nsctl::nsdisc
