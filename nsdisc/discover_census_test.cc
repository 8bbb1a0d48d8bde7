// Discovery with a census by BPF, which tests answer for.

#include <errno.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/bpf_census.h"
#include "nsdisc/discover.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/procfs.h"
#include "testing/fake_lineage.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::NotNull;

// One process, in the initial namespaces of two types.
constexpr char kHost[] =
    "f 1/stat\n|1 (init) S 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
    "0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    "l 1/ns/user user:[4026531837]\n"
    "l 1/ns/net net:[4026531833]\n"
    "n user 4026531837 device=0:4 parent=EPERM owner_uid=0 kernel_id=3\n"
    "n net 4026531833 device=0:4 owner=4026531837 kernel_id=4\n"
    "n net 4026532700 device=0:4 owner=4026531837 kernel_id=70\n";

// Answers with one after the other, the last one from then on.
class FakeBpfCensus : public BpfCensus {
 public:
  explicit FakeBpfCensus(std::vector<absl::StatusOr<Listing>> answers)
      : answers_(std::move(answers)) {}

  absl::StatusOr<Listing> List() override {
    absl::StatusOr<Listing> answer = answers_.front();
    if (answers_.size() > 1) answers_.erase(answers_.begin());
    ++asked_;
    return answer;
  }
  int asked() const { return asked_; }

 private:
  std::vector<absl::StatusOr<Listing>> answers_;
  int asked_ = 0;
};

// With the initial namespaces.
BpfCensus::Listing Listing(std::vector<ListedNamespace> others) {
  BpfCensus::Listing listing;
  listing.namespaces = std::move(others);
  listing.namespaces.push_back({NamespaceType::kUser, 3, 4026531837});
  listing.namespaces.push_back({NamespaceType::kNet, 4, 4026531833});
  return listing;
}

class DiscoverCensusTest : public ::testing::Test {
 protected:
  DiscoverCensusTest() : lineage_(*testing::FakeLineage::FromRecordedTree(kHost)) {
    EXPECT_THAT(testing::UnpackRecordedTree(kHost, root_), IsOk());
  }

  std::unique_ptr<Snapshot> Scan(BpfCensus* census, bool wanted = true) {
    const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::At(root_);
    EXPECT_THAT(procfs, IsOk());
    Questions questions{.lineage = lineage_.get()};
    questions.bpf_census = census;
    DiscoverOptions options;
    options.bpf_census = wanted;
    options.now = absl::FromUnixSeconds(1000);
    absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = Discover(*procfs, questions, options);
    EXPECT_THAT(snapshot, IsOk());
    EXPECT_THAT(CheckSnapshot(**snapshot), IsOk());
    return *std::move(snapshot);
  }

  static std::vector<std::string> GapsOf(const Snapshot& snapshot) {
    std::vector<std::string> gaps;
    for (const Gap& gap : snapshot.gaps()) {
      gaps.push_back(absl::StrCat(gap.subject(), ": ", gap.operation(), ": ", gap.error(), ": ",
                                  gap.consequence()));
    }
    return gaps;
  }

  static const SourceReport& ReportOf(const Snapshot& snapshot) {
    return snapshot.statistics().sources(SourceReport::bpf - 1);
  }

  testing::TestDirectory directory_;
  const std::string root_ = absl::StrCat(directory_.path(), "/procfs");
  const std::unique_ptr<testing::FakeLineage> lineage_;
};

TEST_F(DiscoverCensusTest, IsNotAskedUnlessItIsWanted) {
  FakeBpfCensus census({Listing({{NamespaceType::kNet, 70, 4026532700}})});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census, false);

  EXPECT_EQ(census.asked(), 0);
  EXPECT_EQ(ReportOf(*snapshot).state(), SourceReport::off);
  EXPECT_EQ(SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kNet, 4026532700), nullptr);
  EXPECT_THAT(GapsOf(*snapshot), Not(Contains(HasSubstr("BPF"))));
}

TEST_F(DiscoverCensusTest, WhatOnlyItHasIsDark) {
  FakeBpfCensus census({Listing({{NamespaceType::kNet, 70, 4026532700}})});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census);

  const SnapshotIndex index(*snapshot);
  const Namespace* found = index.FindNamespace(NamespaceType::kNet, 4026532700);
  ASSERT_THAT(found, NotNull());
  EXPECT_TRUE(found->dark());
  EXPECT_EQ(found->kernel_id(), 70U);
  EXPECT_EQ(found->owner(), 4026531837U);
  EXPECT_FALSE(index.FindNamespace(NamespaceType::kNet, 4026531833)->dark());
  EXPECT_EQ(ReportOf(*snapshot).state(), SourceReport::used);
  EXPECT_EQ(ReportOf(*snapshot).examined(), 3U);
  EXPECT_EQ(ReportOf(*snapshot).found(), 1U);
}

// Of one that cannot be opened, all that is known is there and what is not is a gap.
TEST_F(DiscoverCensusTest, WhatCannotBeOpenedIsThereNevertheless) {
  lineage_->Refuse(NamespaceType::kUts, 4026532800, EPERM);
  FakeBpfCensus census({Listing({{NamespaceType::kUts, 80, 4026532800}})});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census);

  const Namespace* found = SnapshotIndex(*snapshot).FindNamespace(NamespaceType::kUts, 4026532800);
  ASSERT_THAT(found, NotNull());
  EXPECT_TRUE(found->dark());
  EXPECT_EQ(found->kernel_id(), 80U);
  EXPECT_FALSE(found->has_owner());
  EXPECT_THAT(GapsOf(*snapshot), Contains("uts:[4026532800]: open_by_handle_at: EPERM: its owner, "
                                          "parent and ids are unknown"));
}

TEST_F(DiscoverCensusTest, WhatEndsMeanwhileIsLeftOut) {
  lineage_->Refuse(NamespaceType::kUts, 4026532800, EPERM);
  FakeBpfCensus census({Listing({{NamespaceType::kNet, 70, 4026532700},
                                 {NamespaceType::kUts, 80, 4026532800},
                                 {NamespaceType::kIpc, 90, 4026532900}}),
                        Listing({})});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census);

  EXPECT_EQ(census.asked(), 2);
  EXPECT_EQ(snapshot->namespaces_size(), 2);
  EXPECT_THAT(GapsOf(*snapshot), Not(Contains(HasSubstr("40265329"))));
}

// Processes of a recorded tree, or of one PID namespace, are not all that there are.
TEST_F(DiscoverCensusTest, SaysThatOthersMayHoldWhatIsDark) {
  FakeBpfCensus census({Listing({})});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census);

  EXPECT_THAT(GapsOf(*snapshot),
              Contains("host: look at processes outside of the PID namespace: EPERM: namespaces "
                       "that only they hold count as dark"));
}

TEST_F(DiscoverCensusTest, SaysWhyThereIsNone) {
  FakeBpfCensus refused({base::ErrnoStatus(EPERM, "bpf BPF_MAP_CREATE")});
  FakeBpfCensus unknown({absl::UnimplementedError("no list of namespaces that is known: no x.y")});

  const std::unique_ptr<Snapshot> first = Scan(&refused);
  const std::unique_ptr<Snapshot> second = Scan(&unknown);
  const std::unique_ptr<Snapshot> third = Scan(nullptr);

  EXPECT_THAT(GapsOf(*first), Contains("host: BPF census: bpf BPF_MAP_CREATE: EPERM: namespaces "
                                       "that nothing in sight holds are missing"));
  EXPECT_THAT(GapsOf(*second),
              Contains("host: BPF census: no list of namespaces that is known: no x.y: EOPNOTSUPP: "
                       "namespaces that nothing in sight holds are missing"));
  EXPECT_THAT(GapsOf(*third),
              Contains("host: BPF census: ENOSYS: namespaces that nothing in sight holds are "
                       "missing"));
  for (const Snapshot* snapshot : {first.get(), second.get(), third.get()}) {
    EXPECT_EQ(ReportOf(*snapshot).state(), SourceReport::unavailable);
    EXPECT_EQ(snapshot->namespaces_size(), 2);
  }
}

TEST_F(DiscoverCensusTest, SaysWhatItLacks) {
  BpfCensus::Listing without_net;
  without_net.namespaces = {{NamespaceType::kUser, 3, 4026531837}};
  FakeBpfCensus census({without_net});

  const std::unique_ptr<Snapshot> snapshot = Scan(&census);

  EXPECT_THAT(GapsOf(*snapshot),
              Contains("net:[4026531833]: BPF census: ENOENT: it lives and the census lacks it: "
                       "other namespaces may be missing there, too"));
}

}  // namespace
}  // namespace nsctl::nsdisc
