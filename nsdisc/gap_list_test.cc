#include "nsdisc/gap_list.h"

#include <errno.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Show(GapList gaps) {
  google::protobuf::RepeatedPtrField<Gap> messages;
  gaps.MoveTo(&messages);
  std::vector<std::string> shown;
  for (const Gap& gap : messages) {
    shown.push_back(absl::StrCat(gap.subject(), "|", gap.operation(), "|", gap.error(), "|",
                                 gap.consequence(), "|", gap.count()));
  }
  return shown;
}

GapSubject Process(uint64_t pid) { return {.kind = GapSubject::kProcess, .number = pid}; }

TEST(GapList, AddsUpRepetitions) {
  GapList gaps;
  gaps.Add(Process(1), "read", EACCES, "x");
  gaps.Add(Process(1), "read", EACCES, "x", 9);
  gaps.Add(Process(1), "read", EPERM, "x");

  EXPECT_THAT(Show(std::move(gaps)), ElementsAre("pid:1|read|EACCES|x|10", "pid:1|read|EPERM|x|1"));
}

TEST(GapList, OrdersByKindThenByNumber) {
  GapList gaps;
  gaps.Add({.kind = GapSubject::kCgroup, .path = "/a\x1b"}, "read", EIO, "x");
  gaps.Add({.kind = GapSubject::kNamespace, .number = 7, .type = base::NamespaceType::kNet}, "open",
           EIO, "x");
  gaps.Add({.kind = GapSubject::kThread, .number = 3}, "read", EIO, "x");
  gaps.Add(Process(10), "read", EIO, "x");
  gaps.Add(Process(9), "read", EIO, "x");
  gaps.Add({}, "open", EIO, "x");

  EXPECT_THAT(
      Show(std::move(gaps)),
      ElementsAre("host|open|EIO|x|1", "pid:9|read|EIO|x|1", "pid:10|read|EIO|x|1",
                  "tid:3|read|EIO|x|1", "net:[7]|open|EIO|x|1", "cgroup:/a\x1b|read|EIO|x|1"));
}

TEST(GapList, MergesInAnyOrder) {
  GapList a;
  a.Add(Process(1), "read", EIO, "x");
  GapList b;
  b.Add(Process(2), "read", EIO, "x");
  b.Add(Process(1), "read", EIO, "x");

  GapList ab = a;
  ab.Merge(b);
  GapList ba = b;
  ba.Merge(a);

  const auto expected = ElementsAre("pid:1|read|EIO|x|2", "pid:2|read|EIO|x|1");
  EXPECT_THAT(Show(std::move(ab)), expected);
  EXPECT_THAT(Show(std::move(ba)), expected);
}

}  // namespace
}  // namespace nsctl::nsdisc
