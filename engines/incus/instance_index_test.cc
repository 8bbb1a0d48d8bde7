#include "engines/incus/instance_index.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "engines/incus/incus_messages.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::engines::incus {
namespace {

using ::testing::Optional;

const InstanceName kWeb = {.project = "shop", .name = "web"};
const InstanceName kNew = {.project = "shop", .name = "new"};
const ContainerId kId = {.native_namespace = "shop", .id = "uuid-1"};

TEST(InstanceIndex, KnowsWhatWasLearnt) {
  InstanceIndex index;
  index.Learn(kWeb, "uuid-1", index.Now());

  EXPECT_THAT(index.IdOf(kWeb), Optional(std::string("uuid-1")));
  EXPECT_THAT(index.NameOf(kId), Optional(kWeb));
  // Of another project.
  EXPECT_EQ(index.IdOf({.project = "default", .name = "web"}), std::nullopt);
  EXPECT_EQ(index.NameOf({.native_namespace = "default", .id = "uuid-1"}), std::nullopt);
}

TEST(InstanceIndex, KnowsWhatIsNotTold) {
  InstanceIndex index;
  index.Learn(kWeb, "", index.Now());

  EXPECT_THAT(index.IdOf(kWeb), Optional(std::string()));
}

TEST(InstanceIndex, TakesNoAnswerFromBeforeANewName) {
  InstanceIndex index;
  index.Learn(kWeb, "uuid-1", index.Now());
  const uint64_t asked = index.Now();
  // Renamed, and another one is called so by now.
  index.Forget(kWeb);
  index.Learn(kNew, "uuid-1", index.Now());
  EXPECT_EQ(index.IdOf(kWeb), std::nullopt);
  index.Learn(kWeb, "uuid-2", index.Now());

  index.Learn(kWeb, "uuid-1", asked);

  EXPECT_THAT(index.IdOf(kWeb), Optional(std::string("uuid-2")));
  EXPECT_THAT(index.NameOf(kId), Optional(kNew));
}

TEST(InstanceIndex, IsBounded) {
  InstanceIndex index(10);
  for (int i = 0; i < 1000; ++i) {
    index.Forget({.project = "shop", .name = absl::StrCat("a", i)});
    index.Learn({.project = "shop", .name = absl::StrCat("b", i)}, "x", index.Now());
  }
  index.Learn(kWeb, "uuid-1", index.Now());

  EXPECT_EQ(index.IdOf({.project = "shop", .name = "b1"}), std::nullopt);
  EXPECT_THAT(index.IdOf(kWeb), Optional(std::string("uuid-1")));
}

}  // namespace
}  // namespace nsctl::engines::incus
