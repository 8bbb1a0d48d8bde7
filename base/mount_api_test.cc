#include "base/mount_api.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::IsOkAndHolds;
using ::nsctl::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::UnorderedElementsAreArray;

constexpr uint64_t kEverything = 0x7fff;

// A child in its own mount namespace, and ways to name it.
class MountApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = absl::StrCat(::testing::TempDir(), "mount_api_test.XXXXXX");
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    child_.reset();
    rmdir(directory_.c_str());
  }

  // `setup` may mount in there, onto directory_.
  void StartChild(absl::FunctionRef<int()> setup) {
    absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, setup);
    NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
    ASSERT_THAT(child, IsOk());
    child_.emplace(*std::move(child));
    NSCTL_ASSERT_OK_AND_ASSIGN(mnt_, child_->OpenNamespace(NamespaceType::kMnt));
    const absl::StatusOr<uint64_t> id = MountNamespaceIdOf(mnt_);
    NSCTL_SKIP_IF_LACKING(id.status(), "NS_GET_MNTNS_ID");
    id_ = *id;
    const absl::StatusOr<std::vector<UniqueMountId>> ids = ListMounts(ById(), kMaxMounts);
    NSCTL_SKIP_IF_LACKING(ids.status(), "listmount");
    ASSERT_THAT(ids, IsOk());
    if (ids->size() < MountinfoIds().size() && RootIsRootfs()) {
      GTEST_SKIP() << "needs a root that is mounted over the kernel's first one";
    }
  }

  MountNamespaceRef ById() const { return MountNamespaceRef::WithId(id_); }

  // Then ListMounts misses mounts in other namespaces: see there.
  static bool RootIsRootfs() {
    const absl::StatusOr<std::string> text =
        ReadFileAt(FdRef(AT_FDCWD), "/proc/self/mountinfo", 1 << 24);
    return text.ok() && absl::StrContains(*text, " - rootfs ");
  }

  // The ids in the child's mountinfo, but for that of rootfs.
  std::vector<uint32_t> MountinfoIds() const {
    const absl::StatusOr<OwnedFd> file = child_->Open("mountinfo");
    std::string text;
    if (!file.ok() || !ReadToEnd(*file, 1 << 24, &text).ok()) return {};
    std::vector<uint32_t> ids;
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      if (absl::StrContains(line, " - rootfs ")) continue;
      uint32_t id = 0;
      if (absl::SimpleAtoi(line.substr(0, line.find(' ')), &id)) ids.push_back(id);
    }
    return ids;
  }

  // What the kernel says of the mount that the child made last.
  absl::StatusOr<MountStatus> StatLast(uint64_t mask) {
    const absl::StatusOr<std::vector<UniqueMountId>> ids = ListMounts(ById(), kMaxMounts);
    if (!ids.ok()) return ids.status();
    return StatMount(ById(), ids->back(), mask, &buffer_);
  }

  std::string directory_;
  std::optional<TestChild> child_;
  OwnedFd mnt_;
  uint64_t id_ = 0;
  StatMountBuffer buffer_;
};

TEST_F(MountApiTest, ListsTheMountsOfMountinfo) {
  StartChild([] { return 0; });
  if (IsSkipped() || HasFatalFailure()) return;
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::vector<UniqueMountId> ids, ListMounts(ById(), kMaxMounts));

  std::vector<uint32_t> mountinfo_ids;
  for (const UniqueMountId id : ids) {
    NSCTL_ASSERT_OK_AND_ASSIGN(
        const MountStatus status,
        StatMount(ById(), id, abi::kStatmountMntBasic | abi::kStatmountFsType, &buffer_));
    ASSERT_TRUE(status.mount.has_value());
    EXPECT_EQ(status.mount->id, id);
    // Listed from Linux 7.0 on, hidden from mountinfo.
    if (status.fs_type == "rootfs") continue;
    mountinfo_ids.push_back(status.mount->mountinfo_id.value);
  }

  EXPECT_THAT(mountinfo_ids, UnorderedElementsAreArray(MountinfoIds()));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(MountApiTest, ListsTheSameByDescriptor) {
  StartChild([] { return 0; });
  if (IsSkipped() || HasFatalFailure()) return;
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::vector<UniqueMountId> ids, ListMounts(ById(), kMaxMounts));
  NSCTL_ASSERT_OK_AND_ASSIGN(const MountNamespaceRef by_fd, MountNamespaceRef::OfFd(mnt_));
  const absl::StatusOr<std::vector<UniqueMountId>> same = ListMounts(by_fd, kMaxMounts);
  NSCTL_SKIP_IF_LACKING(same.status(), "mnt_id_req.mnt_ns_fd");

  EXPECT_THAT(same, IsOkAndHolds(ids));
}

TEST_F(MountApiTest, ListsItsOwnNamespace) {
  const absl::StatusOr<std::vector<UniqueMountId>> ids =
      ListMounts(MountNamespaceRef::Own(), kMaxMounts);
  NSCTL_SKIP_IF_LACKING(ids.status(), "listmount");
  EXPECT_THAT(ids, IsOkAndHolds(::testing::Not(::testing::IsEmpty())));
}

TEST_F(MountApiTest, StopsAtTheLimit) {
  StartChild([this] { return mount("x", directory_.c_str(), "tmpfs", 0, nullptr) ? errno : 0; });
  if (IsSkipped() || HasFatalFailure()) return;
  EXPECT_THAT(ListMounts(ById(), 1),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 1 ids"));
}

TEST_F(MountApiTest, SaysThatANamespaceIsGone) {
  StartChild([] { return 0; });
  if (IsSkipped() || HasFatalFailure()) return;
  child_->Stop();
  ASSERT_THAT(mnt_.Close(), IsOk());

  EXPECT_THAT(
      ListMounts(ById(), kMaxMounts),
      StatusIs(absl::StatusCode::kNotFound, absl::StrCat("listmount mount namespace with id ", id_,
                                                         ": No such file or directory (ENOENT)")));
}

TEST_F(MountApiTest, TellsAllOfAMountAsRawBytes) {
  // mountinfo would write \012 and \040 here.
  StartChild([this] {
    const int made = mount("line\nbreak and blank", directory_.c_str(), "tmpfs",
                           MS_NOSUID | MS_NODEV, "size=4096,mode=0700");
    return made != 0 ? errno : 0;
  });
  if (IsSkipped() || HasFatalFailure()) return;

  const absl::StatusOr<MountStatus> status = StatLast(kEverything & ~abi::kStatmountPropagateFrom);

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->mount_point, directory_);
  EXPECT_EQ(status->root, "/");
  EXPECT_EQ(status->fs_type, "tmpfs");
  EXPECT_EQ(status->fs_subtype, std::nullopt);
  EXPECT_EQ(status->propagate_from, std::nullopt) << "not asked for";
  ASSERT_TRUE(status->super_block.has_value());
  EXPECT_EQ(status->super_block->magic, uint64_t{TMPFS_MAGIC});
  ASSERT_TRUE(status->mount.has_value());
  EXPECT_EQ(status->mount->attributes, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV});
  EXPECT_EQ(status->mount->propagation, uint64_t{MS_PRIVATE});
}

TEST_F(MountApiTest, TellsWhatCameWithLaterKernels) {
  StartChild([this] {
    const int made = mount("line\nbreak", directory_.c_str(), "tmpfs", 0, "size=4096");
    return made != 0 ? errno : 0;
  });
  if (IsSkipped() || HasFatalFailure()) return;

  const absl::StatusOr<MountStatus> status = StatLast(kEverything & ~abi::kStatmountPropagateFrom);

  ASSERT_THAT(status, IsOk());
  if (!status->supported_mask.has_value()) GTEST_SKIP() << "needs STATMOUNT_SUPPORTED_MASK";
  EXPECT_EQ(status->source, "line\nbreak");
  EXPECT_EQ(status->namespace_kernel_id, id_);
  EXPECT_THAT(status->options, Optional(HasSubstr("size=4k")));
  ASSERT_TRUE(status->option_array.has_value());
  EXPECT_THAT(status->option_array->Split(), Contains("size=4k"));
}

TEST_F(MountApiTest, MakesRoomForLongTexts) {
  const std::string source(4000, 's');
  StartChild([this, &source] {
    return mount(source.c_str(), directory_.c_str(), "tmpfs", 0, nullptr) != 0 ? errno : 0;
  });
  if (IsSkipped() || HasFatalFailure()) return;

  const absl::StatusOr<MountStatus> status =
      StatLast(abi::kStatmountSbSource | abi::kStatmountMntPoint | abi::kStatmountSupportedMask);

  ASSERT_THAT(status, IsOk());
  if (!status->source.has_value()) GTEST_SKIP() << "needs STATMOUNT_SB_SOURCE";
  EXPECT_EQ(status->source, source);
  EXPECT_EQ(status->mount_point, directory_);
}

TEST_F(MountApiTest, SaysThatAMountIsGone) {
  StartChild([] { return 0; });
  if (IsSkipped() || HasFatalFailure()) return;
  const uint64_t nobodys = uint64_t{1} << 62;
  EXPECT_THAT(StatMount(ById(), UniqueMountId{nobodys}, kEverything, &buffer_),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat("statmount mount ", nobodys, " of mount namespace with id ",
                                    id_, ": No such file or directory (ENOENT)")));
}

TEST(MountNamespaceRef, NamesItselfToTheKernelAndToPeople) {
  EXPECT_EQ(MountNamespaceRef::Own().Describe(), "own mount namespace");
  EXPECT_EQ(MountNamespaceRef::WithId(7).Describe(), "mount namespace with id 7");
  EXPECT_EQ(MountNamespaceRef::WithId(7).ToRequest().mnt_ns_id, 7u);
  NSCTL_ASSERT_OK_AND_ASSIGN(const MountNamespaceRef by_fd, MountNamespaceRef::OfFd(FdRef(5)));
  EXPECT_EQ(by_fd.Describe(), "mount namespace of fd 5");
  EXPECT_EQ(by_fd.ToRequest().mnt_ns_fd, 5u);
}

TEST(MountNamespaceRef, RefusesDescriptorsThatTheKernelTakesForNone) {
  EXPECT_THAT(MountNamespaceRef::OfFd(FdRef(0)), HasErrno(EBADF));
  EXPECT_THAT(MountNamespaceRef::OfFd(FdRef(-1)), HasErrno(EBADF));
}

// An answer with `texts` behind the fixed part.
std::string Answer(abi::Statmount fixed, absl::string_view texts) {
  fixed.size = static_cast<uint32_t>(sizeof(fixed) + texts.size());
  std::string answer(reinterpret_cast<const char*>(&fixed), sizeof(fixed));
  answer.append(texts.data(), texts.size());
  return answer;
}

TEST(ParseMountStatus, TakesTheFieldsThatTheMaskNames) {
  abi::Statmount fixed = {};
  fixed.mask = abi::kStatmountSbBasic | abi::kStatmountMntRoot | abi::kStatmountFsSubtype |
               abi::kStatmountOptArray | abi::kStatmountMntUidmap;
  fixed.sb_dev_major = 8;
  fixed.sb_dev_minor = 1;
  fixed.sb_magic = 0xef53;
  fixed.sb_flags = 1;
  fixed.mnt_root = 1;
  fixed.mnt_point = 1000;
  fixed.fs_subtype = 3;
  fixed.opt_num = 2;
  fixed.opt_array = 9;
  const std::string answer = Answer(fixed, absl::string_view("\0/\0sshfs\0ro\0\0rest", 18));

  const absl::StatusOr<MountStatus> status = ParseMountStatus(answer);

  MountStatus expected;
  expected.super_block = MountStatus::SuperBlock{makedev(8, 1), 0xef53, 1};
  expected.root = "/";
  expected.fs_subtype = "sshfs";
  expected.option_array = StatMountStrings{2, absl::string_view("ro\0\0", 4)};
  expected.uid_map = StatMountStrings{};
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(*status == expected);
  EXPECT_THAT(status->option_array->Split(), ElementsAre("ro", ""));
  EXPECT_THAT(status->uid_map->Split(), ElementsAre());
}

TEST(ParseMountStatus, RefusesAnswersThatDoNotHoldTogether) {
  struct Case {
    const char* name;
    uint32_t offset;
    uint32_t count;
    absl::string_view texts;
  };
  const Case cases[] = {
      {"no text", 0, 1, ""},
      {"offset behind the end", 4, 1, absl::string_view("abc\0", 4)},
      {"offset far behind the end", 0xffffffff, 1, absl::string_view("abc\0", 4)},
      {"no end", 0, 1, "abc"},
      {"fewer texts than said", 0, 3, absl::string_view("a\0b\0", 4)},
      {"far fewer texts than said", 0, 0xffffffff, absl::string_view("a\0b\0", 4)},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    abi::Statmount fixed = {};
    fixed.mask = abi::kStatmountOptArray;
    fixed.opt_array = c.offset;
    fixed.opt_num = c.count;
    EXPECT_THAT(
        ParseMountStatus(Answer(fixed, c.texts)),
        StatusIs(absl::StatusCode::kInternal, "statmount: answer points outside of itself"));
  }
}

TEST(ParseMountStatus, RefusesAnswersOfImpossibleSize) {
  EXPECT_THAT(ParseMountStatus(""),
              StatusIs(absl::StatusCode::kInternal, "statmount: answer of 0 bytes"));
  std::string answer = Answer({}, "texts");
  answer.pop_back();
  EXPECT_THAT(ParseMountStatus(answer),
              StatusIs(absl::StatusCode::kInternal,
                       "statmount: answer says it has 517 bytes in a buffer of 516"));
  answer[0] = 100;
  answer[1] = 0;
  EXPECT_THAT(ParseMountStatus(answer),
              StatusIs(absl::StatusCode::kInternal,
                       "statmount: answer says it has 100 bytes in a buffer of 516"));
}

TEST(MayAskForIdMaps, SparesTheKernelsThatWouldNotSurviveIt) {
  for (const char* const release : {"6.15", "6.15.0-rc1", "6.16.12+deb13-cloud-amd64"}) {
    EXPECT_FALSE(MayAskForIdMaps(release)) << release;
  }
  for (const char* const release :
       {"6.14.11", "6.17.0", "6.1.0-56-cloud-amd64", "6.150", "7.16", ""}) {
    EXPECT_TRUE(MayAskForIdMaps(release)) << release;
  }
}

}  // namespace
}  // namespace nsctl::base
