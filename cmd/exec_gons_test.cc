#include "cmd/exec_gons.h"

#include <cerrno>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/procfs.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

using Strings = std::vector<std::string>;

TEST(GonsEnvironment, HasTheOrderOfGons) {
  const GonsOrder order = ParseGonsEnvironment(
      Strings{"gons_uts=/u", "gons_user=/U", "gons_net=/n", "X=y", "gons_mnt=/m", "gons_pid="});

  EXPECT_THAT(order.error, IsOk());
  EXPECT_THAT(order.steps, ElementsAre(GonsStep{NamespaceType::kUser, "/U", true},
                                       GonsStep{NamespaceType::kMnt, "/m", true},
                                       GonsStep{NamespaceType::kNet, "/n", true},
                                       GonsStep{NamespaceType::kUts, "/u", true}));
  EXPECT_THAT(ParseGonsEnvironment(Strings{}).steps, IsEmpty());
}

TEST(GonsEnvironment, TakesAnOrder) {
  const Strings environment = {"gons_order=mnt,!net,uts,", "gons_net=/n", "gons_mnt=/m"};

  EXPECT_THAT(ParseGonsEnvironment(environment).error, IsOk());
  EXPECT_THAT(ParseGonsEnvironment(environment).steps,
              ElementsAre(GonsStep{NamespaceType::kMnt, "/m", false},
                          GonsStep{NamespaceType::kNet, "/n", true}));
}

TEST(GonsEnvironment, RefusesWhatGonsRefuses) {
  const auto message = [](const std::string& order) {
    return std::string(
        ParseGonsEnvironment(Strings{"gons_order=" + order, "gons_net=/n"}).error.message());
  };
  EXPECT_EQ(message("net,foo"), "package gons: unknown namespace type \"foo\" in gons_order");
  EXPECT_EQ(message("time"), "package gons: unknown namespace type \"time\" in gons_order");
  EXPECT_EQ(message("net,,uts"), "package gons: unknown namespace type \"\" in gons_order");
  EXPECT_EQ(message("net,"), "");
  for (const char* twice : {"!net,!net", "net,net", "!net,net", "net,!net", "net,uts,net"}) {
    EXPECT_EQ(message(twice), "package gons: duplicate namespace order type net") << twice;
  }
}

TEST(GonsSteps, SayWhichReferenceIsInvalidBeforeWhatIsWrongBehindIt) {
  const char invalid[] =
      "package gons: invalid gons_net reference \"/foo\": No such file or directory";

  EXPECT_THAT(OpenGonsSteps({{{NamespaceType::kNet, "/foo", true}}, absl::OkStatus()}),
              StatusIs(absl::StatusCode::kInvalidArgument, invalid));
  EXPECT_THAT(OpenGonsSteps(ParseGonsEnvironment(Strings{"gons_net=/foo", "gons_order=!net,bar"})),
              StatusIs(absl::StatusCode::kInvalidArgument, invalid));
  EXPECT_THAT(OpenGonsSteps(ParseGonsEnvironment(Strings{"gons_net=/foo", "gons_order=net,bar"})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "package gons: unknown namespace type \"bar\" in gons_order"));
}

TEST(GonsFailure, SaysWhatCouldNotBeJoined) {
  NSCTL_ASSERT_OK_AND_ASSIGN(nsentry::EntryRequest request,
                             OpenGonsSteps({{{NamespaceType::kNet, "/late", false},
                                             {NamespaceType::kUser, "/proc/self/ns/user", true}},
                                            absl::OkStatus()}));
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const nsentry::EntryPlan plan,
      nsentry::EntryPlan::Make(*procfsroot::Procfs::Live(), std::move(request)));
  using Phase = nsentry::EntryResult::Phase;

  EXPECT_EQ(
      GonsFailure(plan, {.phase = Phase::kOpen, .step = 0, .error = ENOENT, .now = {}}).message(),
      "package gons: invalid gons_net reference \"/late\": No such file or directory");
  EXPECT_EQ(
      GonsFailure(plan, {.phase = Phase::kJoin, .step = 1, .error = EINVAL, .now = {}}).message(),
      "package gons: cannot join gons_user using reference \"/proc/self/ns/user\": "
      "Invalid argument");
}

}  // namespace
}  // namespace nsctl::cmd
