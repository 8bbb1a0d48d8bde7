#include "nsdisc/census_check.h"

#include <errno.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "gtest/gtest.h"
#include "nsdisc/bpf_census.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_table.h"
#include "nsdisc/snapshot.pb.h"
#include "procfsroot/procfs.h"
#include "testing/fake_lineage.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr char kCutShort[] =
    "it was cut short: namespaces that nothing in sight holds may be missing";
constexpr char kLacks[] =
    "it lives and the census lacks it: other namespaces may be missing there, too";

// Answers with one after the other, the last one from then on.
class FakeCensus : public BpfCensus {
 public:
  explicit FakeCensus(std::vector<absl::StatusOr<Listing>> answers)
      : answers_(std::move(answers)) {}

  absl::StatusOr<Listing> List() override {
    absl::StatusOr<Listing> answer = answers_.front();
    if (answers_.size() > 1) answers_.erase(answers_.begin());
    return answer;
  }

 private:
  std::vector<absl::StatusOr<Listing>> answers_;
};

NamespaceFacts Facts(NamespaceType type, uint32_t inode, uint64_t kernel_id) {
  NamespaceFacts facts{.type = type, .id = {4, inode}};
  facts.kernel_id.value = kernel_id;
  facts.owner.error = EPERM;
  return facts;
}

class CensusCheckTest : public ::testing::Test {
 protected:
  CensusCheckTest() : lineage_(*testing::FakeLineage::FromRecordedTree("")) {}

  // In the table by the kernel's list of mount namespaces, or by `source`.
  void AddListed(NamespaceType type, uint32_t inode, uint64_t kernel_id,
                 SourceReport::Source source = SourceReport::mount_namespace_list) {
    lineage_->Add(Facts(type, inode, kernel_id));
    table_.AddListed(source, {type, inode}, kernel_id);
    table_.Trace(Live(), *lineage_, nullptr);
  }

  static procfsroot::Procfs Live() {
    absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
    EXPECT_THAT(procfs, IsOk());
    return *std::move(procfs);
  }

  // The gaps, as text.
  std::vector<std::string> Compare(const BpfCensus::Listing& first,
                                   absl::StatusOr<BpfCensus::Listing> second) {
    FakeCensus census({std::move(second)});
    GapList list = CompareWithCensus(first, census, Live(), *lineage_, &table_);
    google::protobuf::RepeatedPtrField<Gap> gaps;
    list.MoveTo(&gaps);
    std::vector<std::string> texts;
    for (const Gap& gap : gaps) {
      texts.push_back(absl::StrCat(gap.subject(), ": ", gap.operation(), ": ", gap.error(), ": ",
                                   gap.consequence()));
    }
    return texts;
  }

  std::unique_ptr<testing::FakeLineage> lineage_;
  NamespaceTable table_;
};

BpfCensus::Listing Listing(std::vector<ListedNamespace> namespaces,
                           absl::Status missing = absl::OkStatus()) {
  return {std::move(namespaces), std::move(missing)};
}

TEST_F(CensusCheckTest, SaysNothingWhereAllAgree) {
  AddListed(NamespaceType::kMnt, 11, 101);
  AddListed(NamespaceType::kUts, 12, 102, SourceReport::bpf);
  const BpfCensus::Listing listing =
      Listing({{NamespaceType::kMnt, 101, 11}, {NamespaceType::kUts, 102, 12}});

  EXPECT_THAT(Compare(listing, listing), IsEmpty());
  EXPECT_TRUE(table_.Has({NamespaceType::kMnt, 11}));
  EXPECT_TRUE(table_.Has({NamespaceType::kUts, 12}));
}

TEST_F(CensusCheckTest, SaysWhatTheCensusLacks) {
  AddListed(NamespaceType::kMnt, 11, 101);
  AddListed(NamespaceType::kMnt, 12, 102);
  table_.MarkSeen({NamespaceType::kMnt, 12});

  EXPECT_THAT(
      Compare(Listing({{NamespaceType::kMnt, 101, 11}}), Listing({{NamespaceType::kMnt, 101, 11}})),
      ElementsAre(absl::StrCat("mnt:[12]: BPF census: ENOENT: ", kLacks)));
  EXPECT_TRUE(table_.Has({NamespaceType::kMnt, 12}));
}

// What came between the two, or went before the second, was in one or lives no more.
TEST_F(CensusCheckTest, AcceptsThatNamespacesComeAndGo) {
  AddListed(NamespaceType::kMnt, 11, 101);
  AddListed(NamespaceType::kMnt, 12, 102);
  AddListed(NamespaceType::kMnt, 13, 103);
  for (const uint32_t inode : {11, 12, 13}) table_.MarkSeen({NamespaceType::kMnt, inode});
  lineage_->Refuse(NamespaceType::kMnt, 13, ESTALE);

  EXPECT_THAT(
      Compare(Listing({{NamespaceType::kMnt, 101, 11}}), Listing({{NamespaceType::kMnt, 102, 12}})),
      IsEmpty());
}

TEST_F(CensusCheckTest, ForgetsWhatOnlyListsHadAndIsGone) {
  AddListed(NamespaceType::kUts, 12, 102, SourceReport::bpf);
  AddListed(NamespaceType::kMnt, 13, 103);
  // This one cannot be opened, so nothing else tells that it ended.
  lineage_->Refuse(NamespaceType::kNet, 14, EPERM);
  table_.AddListed(SourceReport::bpf, {NamespaceType::kNet, 14}, 104);
  table_.Trace(Live(), *lineage_, nullptr);

  EXPECT_THAT(Compare(Listing({{NamespaceType::kUts, 102, 12},
                               {NamespaceType::kMnt, 103, 13},
                               {NamespaceType::kNet, 104, 14}}),
                      Listing({{NamespaceType::kMnt, 103, 13}})),
              IsEmpty());
  EXPECT_FALSE(table_.Has({NamespaceType::kUts, 12}));
  EXPECT_TRUE(table_.Has({NamespaceType::kMnt, 13}));
  EXPECT_FALSE(table_.Has({NamespaceType::kNet, 14}));
}

// A process that ends still holds them when it is no longer seen.
TEST_F(CensusCheckTest, GivesTimeToEnd) {
  AddListed(NamespaceType::kUts, 12, 102, SourceReport::bpf);
  AddListed(NamespaceType::kIpc, 13, 103, SourceReport::bpf);
  const BpfCensus::Listing both =
      Listing({{NamespaceType::kUts, 102, 12}, {NamespaceType::kIpc, 103, 13}});
  FakeCensus census({both, both, Listing({{NamespaceType::kIpc, 103, 13}})});

  CompareWithCensus(both, census, Live(), *lineage_, &table_);

  EXPECT_FALSE(table_.Has({NamespaceType::kUts, 12}));
  EXPECT_TRUE(table_.Has({NamespaceType::kIpc, 13}));
}

TEST_F(CensusCheckTest, ACensusThatWasCutShortProvesNothing) {
  AddListed(NamespaceType::kMnt, 11, 101);
  AddListed(NamespaceType::kUts, 12, 102, SourceReport::bpf);
  const absl::Status late = absl::DeadlineExceededError("");
  const absl::Status full = absl::ResourceExhaustedError("");

  EXPECT_THAT(Compare(Listing({}, late), Listing({})),
              ElementsAre(absl::StrCat("host: BPF census: ETIME: ", kCutShort)));
  EXPECT_THAT(Compare(Listing({}), Listing({}, full)),
              ElementsAre(absl::StrCat("host: BPF census: EOVERFLOW: ", kCutShort)));
  EXPECT_TRUE(table_.Has({NamespaceType::kMnt, 11}));
  EXPECT_TRUE(table_.Has({NamespaceType::kUts, 12}));
}

TEST_F(CensusCheckTest, SaysThatASecondOneFailed) {
  AddListed(NamespaceType::kMnt, 11, 101);

  EXPECT_THAT(Compare(Listing({}), base::ErrnoStatus(EPERM, "bpf BPF_PROG_LOAD")),
              ElementsAre("host: BPF census: bpf BPF_PROG_LOAD: EPERM: whether all that it found "
                          "still lives is unknown"));
  EXPECT_TRUE(table_.Has({NamespaceType::kMnt, 11}));
}

TEST(DescribeFailure, TellsTheStepAndTheErrno) {
  struct Case {
    const char* name;
    absl::Status status;
    const char* operation;
    int error;
  };
  const Case cases[] = {
      {"a call", base::ErrnoStatus(EPERM, "bpf BPF_MAP_CREATE"), "BPF census: bpf BPF_MAP_CREATE",
       EPERM},
      {"a file", base::ErrnoStatus(ENOENT, "open", "/sys/kernel/btf/vmlinux"),
       "BPF census: open /sys/kernel/btf/vmlinux", ENOENT},
      {"the verifier",
       base::Annotate(base::ErrnoStatus(EINVAL, "bpf BPF_PROG_LOAD"), "unknown func x#113"),
       "BPF census: unknown func x#113: bpf BPF_PROG_LOAD", EINVAL},
      {"an unknown kernel", absl::UnimplementedError("this kernel: no ns_common.x"),
       "BPF census: this kernel: no ns_common.x", EOPNOTSUPP},
      {"no sense", absl::DataLossError("the list of uts namespaces"),
       "BPF census: the list of uts namespaces", EBADMSG},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);

    const CensusFailure failure = DescribeFailure(c.status);

    EXPECT_EQ(failure.operation, c.operation);
    EXPECT_EQ(failure.error, c.error);
  }
}

}  // namespace
}  // namespace nsctl::nsdisc
