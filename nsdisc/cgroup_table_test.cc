#include "nsdisc/cgroup_table.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/worker_pool.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Texts(const std::vector<CgroupTable::Parsed>& parsed) {
  std::vector<std::string> texts;
  for (const CgroupTable::Parsed& one : parsed) texts.push_back(one.text);
  return texts;
}

TEST(CgroupTable, OrderDoesNotDependOnTheOrderOfCalls) {
  CgroupTable table;
  const uint32_t b = table.Intern("0::/b\n");
  const uint32_t a = table.Intern("0::/a\n");
  EXPECT_EQ(table.Intern("0::/b\n"), b);

  std::vector<uint32_t> position;
  const std::vector<CgroupTable::Parsed> parsed = table.Finish(&position);

  EXPECT_THAT(Texts(parsed), ElementsAre("0::/a\n", "0::/b\n"));
  EXPECT_EQ(position[a], 0u);
  EXPECT_EQ(position[b], 1u);
}

TEST(CgroupTable, SameTextHasOneNumberUnderConcurrency) {
  constexpr size_t kCalls = 1000;
  constexpr size_t kTexts = 10;
  CgroupTable table;
  std::vector<uint32_t> numbers(kCalls);

  base::ParallelFor(kCalls, 7, 4, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      numbers[i] = table.Intern(absl::StrCat("0::/", i % kTexts, "\n"));
    }
  });

  std::vector<uint32_t> position;
  const std::vector<CgroupTable::Parsed> parsed = table.Finish(&position);
  ASSERT_EQ(parsed.size(), kTexts);
  for (size_t i = 0; i < kCalls; ++i) {
    EXPECT_EQ(parsed[position[numbers[i]]].text, absl::StrCat("0::/", i % kTexts, "\n"));
  }
}

TEST(ParseCgroups, KeepsEveryHierarchyAndEncodesPaths) {
  Cgroups cgroups;

  ASSERT_TRUE(ParseCgroups("4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/x\\y\xff\n", &cgroups));

  EXPECT_EQ(cgroups.ShortDebugString(),
            "unified: \"/x\\\\\\\\y\\\\xff\" v1 { controllers: \"cpu,cpuacct\" path: \"/a:b\" } "
            "v1 { controllers: \"name=systemd\" path: \"/\" }");
}

TEST(ParseCgroups, KeepsTheLinesBeforeAFault) {
  Cgroups cgroups;

  EXPECT_FALSE(ParseCgroups("0::/x\nnonsense\n", &cgroups));

  EXPECT_EQ(cgroups.ShortDebugString(), "unified: \"/x\"");
}

}  // namespace
}  // namespace nsctl::nsdisc
