#include "base/namespace_type.h"

#include <dirent.h>
#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>

#include "absl/hash/hash_testing.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::base {

void PrintTo(const NamespaceLink& link, std::ostream* os) {
  *os << NamespaceLinkText(link.type, link.inode);
}

namespace {

TEST(NamespaceTypes, StandAtTheirIndex) {
  for (size_t i = 0; i < kNamespaceTypeCount; ++i) {
    EXPECT_EQ(static_cast<size_t>(kNamespaceTypes[i].type), i);
    EXPECT_EQ(&InfoOf(kNamespaceTypes[i].type), &kNamespaceTypes[i]);
  }
}

TEST(NamespaceTypes, AreFoundByNameAndFlag) {
  for (const NamespaceTypeInfo& info : kNamespaceTypes) {
    EXPECT_EQ(NamespaceTypeFromName(info.name), info.type);
    EXPECT_EQ(NamespaceTypeFromCloneFlag(info.clone_flag), info.type);
  }
}

TEST(NamespaceTypes, AreNotFoundByAnythingElse) {
  for (const absl::string_view name : {"", "NET", "net ", "pid_for_children", "nets"}) {
    EXPECT_EQ(NamespaceTypeFromName(name), std::nullopt) << name;
  }
  for (const uint32_t flag : {0u, 1u, uint32_t{CLONE_NEWNET | CLONE_NEWNS}, 0xffffffffu}) {
    EXPECT_EQ(NamespaceTypeFromCloneFlag(flag), std::nullopt) << flag;
  }
}

TEST(NamespaceTypes, CoverWhatTheKernelHas) {
  std::set<std::string> known;
  for (const NamespaceTypeInfo& info : kNamespaceTypes) {
    known.insert(info.name);
    if (info.for_children_entry != nullptr) known.insert(info.for_children_entry);
  }

  DIR* const directory = opendir("/proc/self/ns");
  ASSERT_NE(directory, nullptr);
  std::set<std::string> unknown;
  while (const dirent* const entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name[0] != '.' && known.count(name) == 0) unknown.insert(name);
  }
  closedir(directory);

  EXPECT_THAT(unknown, ::testing::IsEmpty());
}

TEST(NamespaceLinkText, IsWhatTheKernelWrites) {
  EXPECT_EQ(NamespaceLinkText(NamespaceType::kNet, 4026531840), "net:[4026531840]");
  EXPECT_EQ(NamespaceLinkText(NamespaceType::kTime, 0), "time:[0]");
}

TEST(ParseNamespaceLinkText, TakesTheKernelsTextAlone) {
  struct Case {
    const char* name;
    absl::string_view text;
    std::optional<NamespaceLink> link;
  };
  const Case cases[] = {
      {"net", "net:[4026531840]", NamespaceLink{NamespaceType::kNet, 4026531840}},
      {"mnt", "mnt:[4026531832]", NamespaceLink{NamespaceType::kMnt, 4026531832}},
      {"cgroup", "cgroup:[1]", NamespaceLink{NamespaceType::kCgroup, 1}},
      {"largest", "uts:[4294967295]", NamespaceLink{NamespaceType::kUts, 4294967295}},
      {"zero", "ipc:[0]", NamespaceLink{NamespaceType::kIpc, 0}},
      {"nothing", "", std::nullopt},
      {"name alone", "net", std::nullopt},
      {"no brackets", "net:4026531840", std::nullopt},
      {"opening bracket alone", "net:[", std::nullopt},
      {"no number", "net:[]", std::nullopt},
      {"no closing bracket", "net:[4026531840", std::nullopt},
      {"bytes behind", "net:[4026531840] ", std::nullopt},
      {"bytes before", " net:[4026531840]", std::nullopt},
      {"deleted", "net:[4026531840] (deleted)", std::nullopt},
      {"unknown type", "nets:[4026531840]", std::nullopt},
      {"the entry's name", "pid_for_children:[4026531836]", std::nullopt},
      {"upper case", "NET:[4026531840]", std::nullopt},
      {"no type", ":[4026531840]", std::nullopt},
      {"sign", "net:[+1]", std::nullopt},
      {"negative", "net:[-1]", std::nullopt},
      {"leading zero", "net:[01]", std::nullopt},
      {"blank inside", "net:[ 1]", std::nullopt},
      {"hexadecimal", "net:[0x1]", std::nullopt},
      {"33 bits", "net:[4294967296]", std::nullopt},
      {"huge", "net:[99999999999999999999]", std::nullopt},
      {"NUL behind", absl::string_view("net:[1]\0", 8), std::nullopt},
      {"other link", "socket:[1234]", std::nullopt},
      {"path", "/dev/null", std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(ParseNamespaceLinkText(c.text), c.link);
    if (c.link.has_value()) {
      EXPECT_EQ(NamespaceLinkText(c.link->type, c.link->inode), c.text);
    }
  }
}

TEST(StrongTypes, HashAsTheyCompare) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {NamespaceId{0, 0}, NamespaceId{4, 1}, NamespaceId{4, 2}, NamespaceId{5, 1}}));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly({Pid{0}, Pid{1}, Pid{-1}}));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly({Tid{0}, Tid{1}, Tid{-1}}));
}

}  // namespace
}  // namespace nsctl::base
