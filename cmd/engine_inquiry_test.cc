#include "cmd/engine_inquiry.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;

TEST(AddGapsOfSilentEngines, SaysWhatIsNotKnownAndWhy) {
  engines::Containers known;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "a:1" state: ready }
        engines { key: "b:1" state: connecting api: "/run/b.sock" }
        engines { key: "c:1" state: syncing }
        engines { key: "d:1" state: degraded reason: "no answer" }
        engines { key: "e:1" state: degraded reason: "no answer" api: "/run/e.sock" }
        engines { key: "f:1" state: degraded reason: "told" }
        engines { key: "g:1" state: gone }
        containers {
          engine: "a:1"
          id: "1"
          views { engine: "e:1" }
        }
        gaps { subject: "f:1" operation: "told" error: "EIO" consequence: "before" })pb",
      &known));

  AddGapsOfSilentEngines(&known);

  std::vector<std::string> gaps;
  for (const engines::EngineGap& gap : known.gaps()) {
    gaps.push_back(absl::StrCat(gap.subject(), " ", gap.error(), " ", gap.consequence()));
  }
  EXPECT_THAT(gaps,
              ElementsAre("b:1 DEADLINE_EXCEEDED not all of its containers are known: no answer at "
                          "/run/b.sock",
                          "c:1 DEADLINE_EXCEEDED not all of its containers are known",
                          "d:1 UNAVAILABLE its containers are unknown: no answer",
                          "e:1 UNAVAILABLE its containers are those of before: no answer",
                          "f:1 EIO before"));
}

}  // namespace
}  // namespace nsctl::cmd
