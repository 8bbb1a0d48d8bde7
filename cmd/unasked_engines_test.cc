#include "cmd/unasked_engines.h"

#include <string>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

engines::EngineGap Gap(const std::string& subject, const std::string& operation) {
  engines::EngineGap gap;
  gap.set_subject(subject);
  gap.set_operation(operation);
  gap.set_error("EACCES");
  return gap;
}

TEST(UnaskedText, CountsProcessesThatMayBeEngines) {
  engines::Containers known;
  EXPECT_EQ(UnaskedText(known.gaps()), "");
  *known.add_gaps() = Gap("docker:1@2", "inspect containers");
  EXPECT_EQ(UnaskedText(known.gaps()), "");

  *known.add_gaps() = Gap("pid:7", "find engines");
  EXPECT_EQ(UnaskedText(known.gaps()),
            "; 1 process that may be an engine could not be asked (pid:7: EACCES)");

  *known.add_gaps() = Gap("pid:9", "find engines");
  EXPECT_EQ(UnaskedText(known.gaps()),
            "; 2 processes that may be engines could not be asked (first pid:7: EACCES)");
}

TEST(UnaskedText, TellsOfSnapshots) {
  nsdisc::Snapshot snapshot;
  nsdisc::Gap* const gap = snapshot.add_gaps();
  gap->set_subject("pid:7");
  gap->set_operation("find engines");
  gap->set_error("\\x1b");

  EXPECT_EQ(UnaskedText(snapshot.gaps()),
            "; 1 process that may be an engine could not be asked (pid:7: \\x1b)");
}

}  // namespace
}  // namespace nsctl::cmd
