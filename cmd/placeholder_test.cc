#include "cmd/placeholder.h"

#include <string>

#include "CLI/CLI.hpp"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(ParsePlaceholder, TellsListsAndOptionalValues) {
  EXPECT_EQ(ParsePlaceholder("FILE"), (Placeholder{.word = "FILE"}));
  EXPECT_EQ(ParsePlaceholder("TYPE,..."), (Placeholder{.word = "TYPE", .list = true}));
  EXPECT_EQ(ParsePlaceholder("[THREADS]"), (Placeholder{.word = "THREADS", .optional = true}));
  EXPECT_EQ(ParsePlaceholder(""), Placeholder());
}

TEST(PlaceholderOf, IsEmptyForFlags) {
  CLI::App app;
  bool flag = false;
  std::string value;

  const CLI::Option* strict = app.add_flag("--strict", flag);
  const CLI::Option* from = app.add_option("--from", value)->type_name("FILE");

  EXPECT_EQ(PlaceholderOf(*strict), Placeholder());
  EXPECT_EQ(PlaceholderOf(*from), (Placeholder{.word = "FILE"}));
}

}  // namespace
}  // namespace nsctl::cmd
