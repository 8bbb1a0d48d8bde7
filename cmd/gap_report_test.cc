#include "cmd/gap_report.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::nsdisc::Gap;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void Add(Gaps* gaps, const std::string& subject, const std::string& operation = "readlinkat ns/net",
         const std::string& error = "EACCES") {
  Gap* gap = gaps->Add();
  gap->set_subject(subject);
  gap->set_operation(operation);
  gap->set_error(error);
  gap->set_consequence("its namespaces are unknown");
  gap->set_count(1);
}

TEST(DescribeGaps, SaysNothingOfNothing) { EXPECT_THAT(DescribeGaps({}), IsEmpty()); }

TEST(DescribeGaps, CountsSubjectsOfAKind) {
  Gaps gaps;
  Add(&gaps, "pid:1");
  Add(&gaps, "pid:7");
  Add(&gaps, "pid:9", "open ns");

  EXPECT_THAT(
      DescribeGaps(gaps),
      ElementsAre("missing: 2 processes (first pid:1): readlinkat ns/net: EACCES: its namespaces "
                  "are unknown",
                  "missing: 1 process (pid:9): open ns: EACCES: its namespaces are unknown"));
}

TEST(DescribeGaps, NamesEveryKindOfSubject) {
  Gaps gaps;
  for (const char* subject : {"tid:2", "net:[4026531840]", "cgroup:/a", "host", "disk:1"}) {
    Add(&gaps, subject, "read", "EIO");
  }

  EXPECT_THAT(
      DescribeGaps(gaps),
      ElementsAre("missing: 1 thread (tid:2): read: EIO: its namespaces are unknown",
                  "missing: 1 namespace (net:[4026531840]): read: EIO: its namespaces are unknown",
                  "missing: 1 cgroup (cgroup:/a): read: EIO: its namespaces are unknown",
                  "missing: host: read: EIO: its namespaces are unknown",
                  "missing: 1 subject (disk:1): read: EIO: its namespaces are unknown"));
}

TEST(DescribeGaps, NamesEveryEngineAndSocket) {
  Gaps gaps;
  for (const char* subject : {"docker:1@2", "docker:3@4", "/run/a.sock", "/run/b.sock"}) {
    Add(&gaps, subject, "ask", "EIO");
  }

  EXPECT_THAT(DescribeGaps(gaps),
              ElementsAre("missing: docker:1@2: ask: EIO: its namespaces are unknown",
                          "missing: docker:3@4: ask: EIO: its namespaces are unknown",
                          "missing: /run/a.sock: ask: EIO: its namespaces are unknown",
                          "missing: /run/b.sock: ask: EIO: its namespaces are unknown"));
}

TEST(DescribeGaps, TellsPidNamespacesFromProcesses) {
  Gaps gaps;
  Add(&gaps, "pid:1");
  Add(&gaps, "pid:[4026531836]");

  EXPECT_THAT(
      DescribeGaps(gaps),
      ElementsAre("missing: 1 process (pid:1): readlinkat ns/net: EACCES: its namespaces are "
                  "unknown",
                  "missing: 1 namespace (pid:[4026531836]): readlinkat ns/net: EACCES: its "
                  "namespaces are unknown"));
}

TEST(DescribeGaps, IsBounded) {
  Gaps gaps;
  for (int i = 0; i < 1000; ++i) Add(&gaps, "pid:1", absl::StrCat("read ", i));

  const std::vector<std::string> lines = DescribeGaps(gaps);

  ASSERT_THAT(lines, SizeIs(21));
  EXPECT_EQ(lines.back(), "missing: 980 more kinds of gaps: see the field gaps of -o json");
}

}  // namespace
}  // namespace nsctl::cmd
