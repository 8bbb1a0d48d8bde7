#include "cmd/column_selection.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr ColumnName kColumns[] = {
    {"NS", true, "number"}, {"TYPE", true, "kind"},     {"PATH", false, "file"},
    {"UID", false, "user"}, {"COMMAND", true, "words"},
};

TEST(SelectColumns, ChoosesAndAdds) {
  EXPECT_THAT(SelectColumns({}, kColumns), IsOkAndHolds(ElementsAre(0, 1, 4)));
  EXPECT_THAT(SelectColumns({"type,NS,Type"}, kColumns), IsOkAndHolds(ElementsAre(1, 0)));
  EXPECT_THAT(SelectColumns({"uid", "path"}, kColumns), IsOkAndHolds(ElementsAre(3, 2)));
  EXPECT_THAT(SelectColumns({"all"}, kColumns), IsOkAndHolds(ElementsAre(0, 1, 2, 3, 4)));
}

// The last of the default columns is the one that is cut.
TEST(SelectColumns, AddsBeforeTheLast) {
  for (const std::vector<std::string>& selection :
       {std::vector<std::string>{"+UID,+PATH"}, {"+uid,path"}, {"+UID", "path"}}) {
    EXPECT_THAT(SelectColumns(selection, kColumns), IsOkAndHolds(ElementsAre(0, 1, 3, 2, 4)));
  }
  EXPECT_THAT(SelectColumns({"+all"}, kColumns), IsOkAndHolds(ElementsAre(0, 1, 2, 3, 4)));
}

TEST(SelectColumns, RefusesUnknownNames) {
  EXPECT_THAT(SelectColumns({"NS,TIPE"}, kColumns),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       R"(unknown column "TIPE"; did you mean "TYPE"?)"));
  EXPECT_THAT(SelectColumns({"NS,"}, kColumns),
              StatusIs(absl::StatusCode::kInvalidArgument, R"(unknown column "")"));
}

TEST(ColumnChoices, MarksTheDefaultColumns) {
  const std::vector<Choice> choices = ColumnChoices(kColumns);

  ASSERT_EQ(choices.size(), 5u);
  EXPECT_EQ(choices[0].value, "NS");
  EXPECT_EQ(choices[0].summary, "number (default)");
  EXPECT_EQ(choices[2].summary, "file");
}

}  // namespace
}  // namespace nsctl::cmd
