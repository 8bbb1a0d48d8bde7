#include "cmd/exec_accounts.h"

#include <optional>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

constexpr char kPasswd[] =
    "# comment\n"
    "root:x:0:0:root:/root:/bin/bash\n"
    "\n"
    "+::::::\n"
    "short:x:1\n"
    "bad:x:-1:0::/:/bin/sh\n"
    "ann:x:1000:100:Ann,,,:/home/ann:\n"
    "ann:x:7:7:again:/:/bin/false\n"
    "huge:x:4294967295:0::/:/bin/sh\n"
    "cut:x:8:8::/:/bin/zsh";

TEST(ExecAccounts, FindsUsersByNameAndNumber) {
  EXPECT_EQ(FindUser(kPasswd, "root"), (UserAccount{0, 0, "/root", "/bin/bash"}));
  EXPECT_EQ(FindUser(kPasswd, "ann"), (UserAccount{1000, 100, "/home/ann", ""}));
  EXPECT_EQ(FindUser(kPasswd, uid_t{7}), (UserAccount{7, 7, "/", "/bin/false"}));
  EXPECT_EQ(FindUser(kPasswd, "cut"), (UserAccount{8, 8, "/", "/bin/zsh"}));
}

TEST(ExecAccounts, PassesOverWhatIsNoAccount) {
  for (const char* name : {"", "bad", "short", "huge", "+", "# comment", "nobody"}) {
    EXPECT_EQ(FindUser(kPasswd, name), std::nullopt) << name;
  }
  EXPECT_EQ(FindUser(kPasswd, uid_t{9}), std::nullopt);
  EXPECT_EQ(FindUser("", "root"), std::nullopt);
}

TEST(ExecAccounts, FindsGroups) {
  constexpr char kGroup[] = "root:x:0:\nbad:x:x:\nusers:x:100:ann,bob\nusers:x:7:\n";

  EXPECT_EQ(FindGroup(kGroup, "users"), 100u);
  EXPECT_EQ(FindGroup(kGroup, "root"), 0u);
  EXPECT_EQ(FindGroup(kGroup, "bad"), std::nullopt);
  EXPECT_EQ(FindGroup(kGroup, ""), std::nullopt);
}

TEST(ExecAccounts, ReadsNumbers) {
  EXPECT_EQ(ParseAccountNumber("0"), 0u);
  EXPECT_EQ(ParseAccountNumber("4294967294"), 4294967294u);
  for (const char* text : {"", "-1", "4294967295", "1x", " 1", "99999999999"}) {
    EXPECT_EQ(ParseAccountNumber(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace nsctl::cmd
