#include "nsdisc/namespace_walk.h"

#include <sched.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_layout.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

constexpr uint32_t kCapacity = 8;
constexpr uint64_t kUtsOperations = 0xffffffff81000000;

NamespaceLayout Layout(bool with_active = false) {
  NamespaceLayout layout;
  layout.image_size = 64;
  layout.next = 40;
  layout.type = 0;
  layout.inode = 24;
  layout.kernel_id = 32;
  layout.operations = 16;
  layout.references = 28;
  if (with_active) layout.active_references = 48;
  return layout;
}

// A member of the list as the program copies it.
struct Member {
  uint64_t kernel_id = 0;
  uint32_t inode = 0;
  uint32_t references = 1;
  int32_t active = 1;
  uint32_t type = CLONE_NEWUTS;
  uint64_t operations = kUtsOperations;
};

// Not a namespace: what is around the list's head.
constexpr Member kHead = {.type = 0, .operations = 0xffffffff82000000};

void Put(std::string* bytes, size_t at, const void* value, size_t size) {
  std::memcpy(bytes->data() + at, value, size);
}

std::string Noted(const std::vector<Member>& members, bool complete = true) {
  const NamespaceLayout layout = Layout(true);
  std::string bytes(WalkSize(layout, kCapacity), '\0');
  const uint64_t count = members.size();
  const uint64_t whole = complete ? 1 : 0;
  Put(&bytes, 0, &count, sizeof(count));
  Put(&bytes, 8, &whole, sizeof(whole));
  size_t at = 16;
  for (const Member& one : members) {
    Put(&bytes, at + layout.type, &one.type, sizeof(one.type));
    Put(&bytes, at + layout.inode, &one.inode, sizeof(one.inode));
    Put(&bytes, at + layout.kernel_id, &one.kernel_id, sizeof(one.kernel_id));
    Put(&bytes, at + layout.operations, &one.operations, sizeof(one.operations));
    Put(&bytes, at + layout.references, &one.references, sizeof(one.references));
    Put(&bytes, at + *layout.active_references, &one.active, sizeof(one.active));
    at += layout.image_size;
  }
  return bytes;
}

absl::StatusOr<NamespaceWalk> Parse(const std::string& noted, bool with_active = false) {
  return ParseNamespaceWalk(Layout(with_active), NamespaceType::kUts, kCapacity, noted);
}

ListedNamespace Uts(uint64_t kernel_id, uint32_t inode) {
  return {NamespaceType::kUts, kernel_id, inode};
}

TEST(NamespaceWalk, FindsAllButTheHeadById) {
  const absl::StatusOr<NamespaceWalk> walk =
      Parse(Noted({{.kernel_id = 30, .inode = 3}, kHead, {.kernel_id = 10, .inode = 1}}));

  ASSERT_THAT(walk, IsOk());
  EXPECT_THAT(walk->found, ElementsAre(Uts(10, 1), Uts(30, 3)));
  EXPECT_EQ(walk->own, Uts(30, 3));
  EXPECT_TRUE(walk->complete);
  EXPECT_FALSE(walk->is_full);
}

TEST(NamespaceWalk, LeavesOutWhatIsBeingFreed) {
  const absl::StatusOr<NamespaceWalk> walk =
      Parse(Noted({{.kernel_id = 30, .inode = 3},
                   kHead,
                   // Its id is overwritten by what frees it.
                   {.kernel_id = 0xffff888000000000, .inode = 1, .references = 0}}));

  ASSERT_THAT(walk, IsOk());
  EXPECT_THAT(walk->found, ElementsAre(Uts(30, 3)));
}

TEST(NamespaceWalk, LeavesOutWhatIsNotActive) {
  const std::string noted = Noted({{.kernel_id = 30, .inode = 3},
                                   kHead,
                                   {.kernel_id = 10, .inode = 1, .active = 0},
                                   {.kernel_id = 20, .inode = 2, .active = -1}});

  const absl::StatusOr<NamespaceWalk> with = Parse(noted, true);
  const absl::StatusOr<NamespaceWalk> without = Parse(noted, false);

  ASSERT_THAT(with, IsOk());
  ASSERT_THAT(without, IsOk());
  EXPECT_THAT(with->found, ElementsAre(Uts(30, 3)));
  EXPECT_THAT(without->found, ElementsAre(Uts(10, 1), Uts(20, 2), Uts(30, 3)));
}

TEST(NamespaceWalk, LeavesOutWhatHasNoNumberYet) {
  const absl::StatusOr<NamespaceWalk> walk =
      Parse(Noted({{.kernel_id = 30, .inode = 3}, kHead, {.kernel_id = 40}, {.inode = 5}}));

  ASSERT_THAT(walk, IsOk());
  EXPECT_THAT(walk->found, ElementsAre(Uts(30, 3)));
}

TEST(NamespaceWalk, TellsWhyItEndedEarly) {
  const std::vector<Member> few = {{.kernel_id = 30, .inode = 3}, {.kernel_id = 40, .inode = 4}};
  std::vector<Member> many;
  for (uint32_t i = 1; i <= kCapacity; ++i) many.push_back({.kernel_id = i, .inode = i});

  const absl::StatusOr<NamespaceWalk> cut = Parse(Noted(few, false));
  const absl::StatusOr<NamespaceWalk> full = Parse(Noted(many, false));

  ASSERT_THAT(cut, IsOk());
  EXPECT_EQ(cut->found.size(), 2U);
  EXPECT_FALSE(cut->complete);
  EXPECT_FALSE(cut->is_full);
  ASSERT_THAT(full, IsOk());
  EXPECT_EQ(full->found.size(), kCapacity);
  EXPECT_FALSE(full->complete);
  EXPECT_TRUE(full->is_full);
}

TEST(NamespaceWalk, BelievesNoListThatCannotBe) {
  struct Case {
    const char* name;
    std::string noted;
    const char* message;
  };
  std::string too_many = Noted({{.kernel_id = 30, .inode = 3}, kHead});
  too_many[0] = kCapacity + 1;
  const Case cases[] = {
      {"nothing", "", "no list of uts namespaces where it should be"},
      {"cut", Noted({{.kernel_id = 30, .inode = 3}, kHead}).substr(0, 100),
       "no list of uts namespaces where it should be"},
      {"no member", Noted({}), "no list of uts namespaces where it should be"},
      {"more than there is room for", too_many, "no list of uts namespaces where it should be"},
      {"another type first", Noted({{.kernel_id = 30, .inode = 3, .type = CLONE_NEWNET}, kHead}),
       "no uts namespace where the scanner's own should be"},
      {"no functions", Noted({{.kernel_id = 30, .inode = 3, .operations = 0}, kHead}),
       "no uts namespace where the scanner's own should be"},
      {"no head", Noted({{.kernel_id = 30, .inode = 3}, {.kernel_id = 40, .inode = 4}}),
       "the list of uts namespaces has 0 members that are none"},
      {"two heads", Noted({{.kernel_id = 30, .inode = 3}, kHead, kHead}),
       "the list of uts namespaces has 2 members that are none"},
      {"another type's",
       Noted({{.kernel_id = 30, .inode = 3},
              kHead,
              {.kernel_id = 40, .inode = 4, .type = CLONE_NEWNET}}),
       "the list of uts namespaces has 2 members that are none"},
      {"wrong functions",
       Noted(
           {{.kernel_id = 30, .inode = 3}, kHead, {.kernel_id = 40, .inode = 4, .operations = 1}}),
       "the list of uts namespaces has 2 members that are none"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);

    const absl::Status status = Parse(c.noted).status();

    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(status.message(), c.message);
  }
}

TEST(NamespaceWalkProgram, IsToldTheWay) {
  const NamespaceLayout::Start start{NamespaceType::kNet, 3336, 40, 152};

  EXPECT_THAT(WalkArguments(Layout(), start, absl::Milliseconds(2)),
              ElementsAre(3336, 40, 152 + 40, 2'000'000));
}

// Every jump stays inside, and the last instruction ends it.
TEST(NamespaceWalkProgram, HasJumpsWithinItself) {
  const std::vector<bpf_insn> program = NamespaceWalkProgram(Layout(), 3, kCapacity);

  ASSERT_FALSE(program.empty());
  EXPECT_EQ(program.back().code, BPF_JMP | BPF_EXIT);
  for (size_t i = 0; i < program.size(); ++i) {
    const uint8_t code = program[i].code;
    if ((code & 7) != BPF_JMP || code == (BPF_JMP | BPF_CALL) || code == (BPF_JMP | BPF_EXIT)) {
      continue;
    }
    const int64_t target = static_cast<int64_t>(i) + 1 + program[i].off;
    EXPECT_GE(target, 0) << i;
    EXPECT_LT(target, static_cast<int64_t>(program.size())) << i;
    EXPECT_NE(program[i].off, 0) << i;
  }
}

}  // namespace
}  // namespace nsctl::nsdisc
