#include "nsdisc/container_cgroups.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Process 2, a child of 1, and process 3, in control groups of the v1 hierarchy "pids" and the
// unified one.
struct PathCase {
  const char* name;
  std::string parent;
  std::string own;
  std::string other;
  bool is_in;
};

class ContainersCgroup : public ::testing::TestWithParam<PathCase> {};

TEST_P(ContainersCgroup, HoldsWhatIsAtOrBelowIt) {
  const PathCase& row = GetParam();
  Snapshot snapshot;
  int pid = 0;
  for (const std::string& path : {row.parent, row.own, row.other}) {
    Process* const process = snapshot.add_processes();
    process->set_pid(++pid);
    process->set_parent_pid(pid == 2 ? 1 : 0);
    process->set_cgroups(static_cast<uint32_t>(snapshot.cgroups_size()));
    Cgroups* const cgroups = snapshot.add_cgroups();
    // The same for all, so that it is nobody's own.
    cgroups->set_unified("/init.scope");
    Cgroups::V1* const v1 = cgroups->add_v1();
    v1->set_controllers("pids");
    v1->set_path(path);
  }
  const ProcessOrder order(snapshot);
  ContainerCgroups found(snapshot, order);

  found.Find({{.number = 7, .init = 1}}, {});

  if (row.is_in) {
    EXPECT_THAT(found.Around(2), ElementsAre(7));
  } else {
    EXPECT_THAT(found.Around(2), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ContainersCgroup,
    ::testing::Values(PathCase{"Same", "/", "/docker/a", "/docker/a", true},
                      PathCase{"Below", "/", "/docker/a", "/docker/a/b/c", true},
                      PathCase{"Beside", "/", "/docker/a", "/docker/ab", false},
                      PathCase{"Above", "/", "/docker/a", "/docker", false},
                      PathCase{"Root", "/x", "/", "/docker/a", false},
                      PathCase{"OutOfSight", "/", "/../a", "/../a", false},
                      PathCase{"Empty", "/", "", "", false},
                      PathCase{"NoPath", "/", "aa", "aa", false},
                      PathCase{"SameAsTheParents", "/docker/a", "/docker/a", "/docker/a", false},
                      PathCase{"AboveTheParents", "/a/engine", "/a", "/a", false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ContainerCgroups, KeepsHierarchiesApart) {
  Snapshot snapshot;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        processes { pid: 1 cgroups: 0 }
        processes { pid: 2 cgroups: 1 }
        processes { pid: 3 cgroups: 9 }
        processes { pid: 4 }
        cgroups { unified: "/a" }
        cgroups { v1 { controllers: "cpu" path: "/a" } })pb",
      &snapshot));
  const ProcessOrder order(snapshot);
  ContainerCgroups found(snapshot, order);

  found.Find({{.number = 7, .init = 0}}, {});

  EXPECT_THAT(found.Around(0), ElementsAre(7));
  for (const int position : {1, 2, 3}) EXPECT_THAT(found.Around(position), IsEmpty()) << position;
}

}  // namespace
}  // namespace nsctl::nsdisc
