#include "cmd/pid_reference.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::Pid;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;

TEST(ParsePidReference, TakesNumbersOfAnyPidNamespace) {
  EXPECT_THAT(ParsePidReference("7"), IsOkAndHolds(PidReference{Pid{7}}));
  EXPECT_THAT(ParsePidReference("pid:7"), IsOkAndHolds(PidReference{Pid{7}}));
  EXPECT_THAT(ParsePidReference("7:99"),
              IsOkAndHolds(PidReference{.pid = Pid{7}, .pidfd_inode = 99}));
  for (const char* const ns : {"pid:[4026532398]", "pid:4026532398", "4026532398"}) {
    EXPECT_THAT(ParsePidReference(std::string("7@") + ns),
                IsOkAndHolds(PidReference{.pid = Pid{7}, .pid_namespace = 4026532398}))
        << ns;
  }
}

TEST(ParsePidReference, RefusesAllElse) {
  for (const char* const word :
       {"", "0", "-1", "x", "@pid:[1]", "7.0", "4194305", "net:[1]", "/x", "pid:[4026532398]"}) {
    EXPECT_THAT(ParsePidReference(word),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a PID: ")))
        << word;
  }
  for (const char* const word : {"7@", "7@net:[1]", "7@-1", "7@pid:[", "7@1@2", "7@4294967296"}) {
    EXPECT_THAT(ParsePidReference(word),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a PID namespace: ")))
        << word;
  }
}

TEST(ParsePidReference, TakesContainers) {
  for (const char* const word :
       {"container:web", "container:a@1", "a@1/b", "docker/web", "0123456789ab"}) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const PidReference reference, ParsePidReference(word));
    EXPECT_TRUE(reference.container.has_value()) << word;
    EXPECT_EQ(ToString(reference), word);
  }
}

TEST(ParsePidReferences, SplitsLists) {
  EXPECT_THAT(ParsePidReferences({"1,2", "3@4026532398"}),
              IsOkAndHolds(ElementsAre(PidReference{Pid{1}}, PidReference{Pid{2}},
                                       PidReference{.pid = Pid{3}, .pid_namespace = 4026532398})));
  EXPECT_THAT(ParsePidReferences({"1,"}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseNamespaceReference, TakesLinkTextsAndInodes) {
  EXPECT_THAT(ParseNamespaceReference("net:[5]"),
              IsOkAndHolds(NamespaceReference{NamespaceType::kNet, 5}));
  EXPECT_THAT(ParseNamespaceReference("user:5"),
              IsOkAndHolds(NamespaceReference{NamespaceType::kUser, 5}));
  EXPECT_THAT(ParseNamespaceReference("4026531840"),
              IsOkAndHolds(NamespaceReference{std::nullopt, 4026531840}));
  for (const char* const word : {"", "net", "net:", "nut:[5]", "net:[5", "+5", "4294967296"}) {
    EXPECT_THAT(ParseNamespaceReference(word),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a namespace: ")))
        << word;
  }
}

class FindTest : public ::testing::Test {
 protected:
  FindTest() {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"pb(
          namespaces { type: pid inode: 10 children: 11 }
          namespaces { type: pid inode: 11 parent: 10 }
          namespaces { type: net inode: 30 }
          processes {
            pid: 1
            uid: 0
            namespaces { pid: 10 }
            pidfd_inode: 77
          }
          processes {
            pid: 20
            uid: 0
            namespaces { pid: 11 }
            namespaced_pids: [ 20, 1 ]
          }
        )pb",
        &snapshot_));
    index_ = std::make_unique<nsdisc::SnapshotIndex>(snapshot_);
    pids_ = std::make_unique<nsdisc::PidMap>(*index_);
  }

  absl::StatusOr<int32_t> Find(const PidReference& reference) {
    const auto process = FindProcess(reference, *index_, *pids_);
    if (!process.ok()) return process.status();
    return (*process)->pid();
  }

  nsdisc::Snapshot snapshot_;
  std::unique_ptr<nsdisc::SnapshotIndex> index_;
  std::unique_ptr<nsdisc::PidMap> pids_;
};

TEST_F(FindTest, TranslatesNumbers) {
  EXPECT_THAT(Find({Pid{20}}), IsOkAndHolds(20));
  EXPECT_THAT(Find({.pid = Pid{1}, .pid_namespace = 11}), IsOkAndHolds(20));
  EXPECT_THAT(Find({.pid = Pid{1}, .pidfd_inode = 77}), IsOkAndHolds(1));
}

TEST_F(FindTest, SaysWhatThereIsNot) {
  EXPECT_THAT(Find({Pid{2}}), StatusIs(absl::StatusCode::kNotFound, "no process 2"));
  EXPECT_THAT(Find({.pid = Pid{20}, .pid_namespace = 11}),
              StatusIs(absl::StatusCode::kNotFound, "no process 20@pid:[11]"));
  EXPECT_THAT(Find({.pid = Pid{1}, .pid_namespace = 30}),
              StatusIs(absl::StatusCode::kNotFound, "no namespace pid:[30]"));
  EXPECT_THAT(Find({.pid = Pid{1}, .pidfd_inode = 78}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("inode number 77")));
}

TEST_F(FindTest, FindsNamespacesWithoutTheirType) {
  const auto net = FindNamespace({std::nullopt, 30}, *index_);
  ASSERT_THAT(net, testing::IsOk());
  EXPECT_EQ((*net)->type(), nsdisc::Namespace::net);
  EXPECT_THAT(FindNamespace({std::nullopt, 31}, *index_),
              StatusIs(absl::StatusCode::kNotFound, "no namespace 31"));
}

}  // namespace
}  // namespace nsctl::cmd
