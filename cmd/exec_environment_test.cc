#include "cmd/exec_environment.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ExecEnvironment, IsParsed) {
  EXPECT_THAT(ParseEnvironment(std::string("A=b\0C=d=e\0none\0\0F=\0", 19)),
              ElementsAre("A=b", "C=d=e", "F="));
  EXPECT_THAT(ParseEnvironment("A=cut"), ElementsAre("A=cut"));
  EXPECT_THAT(ParseEnvironment(""), IsEmpty());
}

TEST(ExecEnvironment, HasVariablesSetInPlaceOrBehind) {
  EXPECT_THAT(WithVariables({"A=1", "AB=2", "C=3"}, {"A=x", "D=y", "D=z"}),
              ElementsAre("A=x", "AB=2", "C=3", "D=z"));
}

}  // namespace
}  // namespace nsctl::cmd
