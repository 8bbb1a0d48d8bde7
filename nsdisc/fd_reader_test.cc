// Reading descriptors of recorded trees; on the running kernel see holder_kernel_test.cc.

#include "nsdisc/fd_reader.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::Pid;
using base::Tid;
using procfsroot::ProcessDir;
using procfsroot::Procfs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::UnorderedElementsAre;

class FdReaderTest : public ::testing::Test {
 protected:
  // What the descriptors of the process 7 of `tree` come to.
  FdFindings Read(const std::string& tree) {
    const std::string root = absl::StrCat(directory_.path(), "/", ++trees_);
    EXPECT_THAT(testing::UnpackRecordedTree(tree, root), IsOk());
    const absl::StatusOr<Procfs> procfs = Procfs::At(root);
    EXPECT_THAT(procfs, IsOk());
    const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess(Pid{7});
    EXPECT_THAT(dir, IsOk());
    FdReader reader(/*measures_time=*/false);
    reader.Read(*dir, Pid{7}, Tid{0});
    return reader.TakeFindings();
  }

  static std::vector<std::string> Gaps(FdFindings findings) {
    google::protobuf::RepeatedPtrField<Gap> gaps;
    findings.gaps.MoveTo(&gaps);
    std::vector<std::string> texts;
    for (const Gap& gap : gaps) {
      texts.push_back(absl::StrCat(gap.subject(), " ", gap.operation(), " ", gap.error(), " ",
                                   gap.consequence()));
    }
    return texts;
  }

  testing::TestDirectory directory_;
  int trees_ = 0;
};

TEST_F(FdReaderTest, TellsWhatHoldsNamespacesByItsLink) {
  const FdFindings findings = Read(
      "l 7/fd/0 /dev/null\n"
      "l 7/fd/1 pipe:[88]\n"
      "l 7/fd/2 socket:[1234567]\n"
      "l 7/fd/3 net:[4026532000]\n"
      "l 7/fd/10 time:[4026531834]\n"
      "l 7/fd/11 /dev/net/tun\n"
      "l 7/fd/12 /srv/x/tun\\x20(deleted)\n");

  EXPECT_THAT(findings.namespace_files,
              UnorderedElementsAre(
                  FdFindings::NamespaceFile{{7, 0, 3}, {NamespaceType::kNet, 4026532000}},
                  FdFindings::NamespaceFile{{7, 0, 10}, {NamespaceType::kTime, 4026531834}}));
  EXPECT_THAT(findings.sockets, ElementsAre(FdFindings::Socket{1234567, {7, 0, 2}}));
  EXPECT_THAT(findings.tuns, UnorderedElementsAre(FdPlace{7, 0, 11}, FdPlace{7, 0, 12}));
  EXPECT_EQ(findings.examined, 7u);
}

// Whoever names a file like a namespace's link text gains nothing: paths begin with a slash.
TEST_F(FdReaderTest, IsNotFooledByNames) {
  const FdFindings findings = Read(
      "l 7/fd/0 /tmp/net:[4026532000]\n"
      "l 7/fd/1 net:[4026532000]\\x20(deleted)\n"
      "l 7/fd/2 net:[04026532000]\n"
      "l 7/fd/3 socket:[12x]\n"
      "l 7/fd/4 socket:[99999999999999999999]\n"
      "l 7/fd/5 mqueue:[1]\n"
      "l 7/fd/6 /memfd:tun\n"
      "l 7/fd/7 anon_inode:[eventfd]\n");

  EXPECT_THAT(findings.namespace_files, IsEmpty());
  EXPECT_THAT(findings.sockets, IsEmpty());
  EXPECT_THAT(findings.tuns, IsEmpty());
  EXPECT_THAT(findings.pidfds, IsEmpty());
}

TEST_F(FdReaderTest, ReadsWhatPidfdsReferTo) {
  const FdFindings findings = Read(
      "l 7/fd/3 anon_inode:[pidfd]\n"
      "f 7/fdinfo/3\n|pos:\\x090\n|flags:\\x0902000002\n|Pid:\\x094711\n|NSpid:\\x094711\\x091\n"
      "l 7/fd/4 pidfd:[6697]\n"
      "f 7/fdinfo/4\n|Pid:\\x09-1\n|NSpid:\\x09-1\n"
      "l 7/fd/5 anon_inode:[pidfd]\n"
      "f 7/fdinfo/5\n|Pid:\\x090\n");

  EXPECT_THAT(findings.pidfds, ElementsAre(FdFindings::Pidfd{{7, 0, 3}, 4711}));
  EXPECT_EQ(findings.ended_pidfds, 1u);
}

TEST_F(FdReaderTest, ReadsWhatIsRegisteredWithIoUring) {
  const FdFindings findings = Read(
      "l 7/fd/3 anon_inode:[io_uring]\n"
      "f 7/fdinfo/3\n|SQEs:\\x090\n|    0: net:[4026532001]\n|UserFiles:\\x093\n"
      "|    0: net:[4026532000]\n|    1: /net:[4026532002]\n|    2: net:[4026532000]\n"
      "|UserBufs:\\x090\n"
      "l 7/fd/4 anon_inode:[io_uring]\n"
      "f 7/fdinfo/4\n|UserFiles:\\x090\n");

  EXPECT_THAT(findings.registered_files, ElementsAre(FdFindings::RegisteredFile{
                                             {7, 0, 3}, {NamespaceType::kNet, 4026532000}}));
  EXPECT_THAT(Gaps(findings), IsEmpty());
}

TEST_F(FdReaderTest, LockedIoUringIsAGap) {
  const FdFindings findings = Read(
      "l 7/fd/3 anon_inode:[io_uring]\n"
      "f 7/fdinfo/3\n|pos:\\x090\n|SQEs:\\x090\n");

  EXPECT_THAT(Gaps(findings),
              ElementsAre("pid:7 read fdinfo of io_uring EBUSY what the descriptors hold that are "
                          "registered with it is unknown"));
}

// As kernels before 6.13 tell them, where other files have the names in their folders.
TEST_F(FdReaderTest, IoUringWithFilesWithoutNamesIsAGap) {
  const FdFindings findings = Read(
      "l 7/fd/3 anon_inode:[io_uring]\n"
      "f 7/fdinfo/3\n|SQEs:\\x090\n|UserFiles:\\x092\n|    0: passwd\n|    1: /\n|UserBufs:\\x090\n"
      "l 7/fd/4 anon_inode:[io_uring]\n"
      "f 7/fdinfo/4\n|UserFiles:\\x091\n|    0: <none>\n|UserBufs:\\x090\n|PollList:\n");

  EXPECT_THAT(Gaps(findings),
              ElementsAre("pid:7 read fdinfo of io_uring ENODATA what the descriptors hold that "
                          "are registered with it is unknown"));
}

TEST_F(FdReaderTest, PutsRootsAside) {
  const FdFindings findings = Read("l 7/fd/3 /\nl 7/fd/4 /x\n");

  EXPECT_THAT(findings.roots, ElementsAre(FdPlace{7, 0, 3}));
  EXPECT_EQ(findings.paths.size(), 1u);
}

TEST_F(FdReaderTest, ProcessWithoutDescriptorsHasNone) {
  EXPECT_EQ(Read("d 7\n").examined, 0u);
  EXPECT_EQ(Read("d 7/fd\n").examined, 0u);
}

TEST_F(FdReaderTest, MergesWhatWorkersFound) {
  FdFindings all = Read("l 7/fd/2 socket:[1]\n");
  all.Merge(Read("l 7/fd/3 socket:[2]\nl 7/fd/4 uts:[5]\n"));

  EXPECT_EQ(all.sockets.size(), 2u);
  EXPECT_EQ(all.namespace_files.size(), 1u);
  EXPECT_EQ(all.examined, 3u);
}

TEST_F(FdReaderTest, RefusedDescriptorsAreAGap) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a process that may not be looked at";
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> init = procfs->OpenProcess(Pid{1});
  ASSERT_THAT(init, IsOk());
  const absl::StatusOr<base::OwnedFd> root = base::OpenAt(init->fd(), "root", O_PATH);
  if (root.ok()) GTEST_SKIP() << "process 1 may be looked at here";
  FdReader reader(/*measures_time=*/true);

  reader.Read(*init, Pid{1}, Tid{0});

  FdFindings findings = reader.TakeFindings();
  google::protobuf::RepeatedPtrField<Gap> gaps;
  findings.gaps.MoveTo(&gaps);
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].subject(), "pid:1");
  EXPECT_EQ(gaps[0].error(), "EACCES");
  EXPECT_EQ(gaps[0].consequence(), "what its descriptors hold is unknown");
}

// A thread that rests until it is told to end, with a table of descriptors of its own or without.
class RestingThread {
 public:
  explicit RestingThread(bool own_table) {
    thread_ = std::thread([this, own_table] {
      if (own_table) unshare(CLONE_FILES);
      tid_ = gettid();
      while (!stop_) absl::SleepFor(absl::Milliseconds(1));
    });
    while (tid_ == 0) sched_yield();
  }
  ~RestingThread() {
    stop_ = true;
    thread_.join();
  }
  Tid tid() const { return Tid{tid_}; }

 private:
  std::atomic<pid_t> tid_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(FdReaderTest, KnowsThreadsWithTablesOfTheirOwn) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> self = procfs->OpenSelf();
  ASSERT_THAT(self, IsOk());
  const RestingThread own(true);
  const RestingThread shared(false);
  const Pid pid{getpid()};
  FdReader reader(/*measures_time=*/false);

  EXPECT_TRUE(reader.HasOwnTable(*self, pid, own.tid(), {}, /*own_pids=*/true));
  EXPECT_FALSE(reader.HasOwnTable(*self, pid, own.tid(), {own.tid()}, /*own_pids=*/true));
  EXPECT_FALSE(reader.HasOwnTable(*self, pid, shared.tid(), {}, /*own_pids=*/true));
  // By what is listed: this process's table now has one more.
  const base::OwnedFd more(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(reader.HasOwnTable(*self, pid, own.tid(), {}, /*own_pids=*/false));
  EXPECT_FALSE(reader.HasOwnTable(*self, pid, shared.tid(), {}, /*own_pids=*/false));
}

}  // namespace
}  // namespace nsctl::nsdisc
