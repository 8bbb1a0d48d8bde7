#include "nsdisc/socket_scan.h"

#include <errno.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sockets and what the kernel would say of them, from a table; counts what it is asked.
class FakeAccess : public ForeignFdAccess {
 public:
  struct Fact {
    uint64_t cookie = 0;
    uint32_t inode = 0;
    // An errno that asking for the cookie, or for the namespace, gives.
    int cookie_error = 0;
    int namespace_error = 0;
  };

  // By the inode of the socket, or -fd of a TUN file.
  std::map<int64_t, Fact> facts;
  // Processes that may not be looked at, and why.
  std::map<pid_t, int> refused;
  int cookies_asked = 0;
  int namespaces_asked = 0;

  absl::StatusOr<std::unique_ptr<ForeignFds>> Of(pid_t pid, pid_t) override {
    if (const auto error = refused.find(pid); error != refused.end()) {
      return base::ErrnoStatus(error->second, "pidfd_open", "process");
    }
    return std::make_unique<Fds>(this);
  }

 private:
  class Fds : public ForeignFds {
   public:
    explicit Fds(FakeAccess* access) : access_(*access) {}
    Answer<uint64_t> CookieOfSocket(int, uint64_t socket) override {
      ++access_.cookies_asked;
      const Fact& fact = access_.facts.at(static_cast<int64_t>(socket));
      if (fact.cookie_error != 0) return {.value = std::nullopt, .error = fact.cookie_error};
      return {.value = fact.cookie, .error = 0};
    }
    Answer<NamespaceId> NamespaceOfSocket(int, uint64_t socket) override {
      return Namespace(access_.facts.at(static_cast<int64_t>(socket)));
    }
    Answer<NamespaceId> NamespaceOfTun(int fd) override { return Namespace(access_.facts.at(-fd)); }

   private:
    Answer<NamespaceId> Namespace(const Fact& fact) {
      ++access_.namespaces_asked;
      if (fact.namespace_error != 0) return {.value = std::nullopt, .error = fact.namespace_error};
      return {.value = NamespaceId{4, fact.inode}, .error = 0};
    }

    FakeAccess& access_;
  };
};

std::vector<std::string> Show(const SocketHoldings& holdings) {
  std::vector<std::string> shown;
  for (const SocketHoldings::Holding& one : holdings.holdings) {
    shown.push_back(absl::StrCat(one.inode, " ", one.holder.ShortDebugString()));
  }
  return shown;
}

std::vector<std::string> ShowGaps(SocketHoldings* holdings) {
  google::protobuf::RepeatedPtrField<Gap> gaps;
  holdings->gaps.MoveTo(&gaps);
  std::vector<std::string> shown;
  for (const Gap& gap : gaps) {
    shown.push_back(
        absl::StrCat(gap.subject(), " ", gap.operation(), " ", gap.error(), " x", gap.count()));
  }
  return shown;
}

TEST(ScanSockets, AsksOnceForASocketThatSeveralHave) {
  FakeAccess access;
  access.facts[100] = {.cookie = 5, .inode = 40};
  access.facts[101] = {.cookie = 6, .inode = 41};

  const SocketHoldings result = ScanSockets({{100, {9, 0, 3}}, {101, {8, 0, 4}}, {100, {7, 0, 5}}},
                                            access, {.cookies = {{5, 40}}});

  EXPECT_THAT(Show(result), ElementsAre("40 kind: socket pid: 7 fd: 5 socket_inode: 100 count: 2",
                                        "41 kind: socket pid: 8 fd: 4 socket_inode: 101 count: 1"));
  EXPECT_EQ(access.cookies_asked, 2);
  // The namespace with the cookie 5 was known.
  EXPECT_EQ(access.namespaces_asked, 1);
  EXPECT_EQ(result.examined, 2u);
}

TEST(ScanSockets, AsksOnceForANamespaceOfManySockets) {
  FakeAccess access;
  std::vector<FdFindings::Socket> sockets;
  for (int i = 0; i < 500; ++i) {
    access.facts[i] = {.cookie = 6, .inode = 41};
    sockets.push_back({static_cast<uint64_t>(i), {7, 0, i}});
  }

  const SocketHoldings result = ScanSockets(sockets, access, {});

  EXPECT_EQ(result.holdings.size(), 500u);
  EXPECT_EQ(access.namespaces_asked, 1);
}

TEST(ScanSockets, ListsThoseOfTheOwnNamespaceWhereThereAreMany) {
  FakeAccess access;
  int lists_asked = 0;
  const auto list_own = [&] {
    ++lists_asked;
    return base::OwnSockets{.cookie = 5, .inodes = {100, 101, 103, 999}};
  };
  for (const int64_t socket : {100, 101, 102, 103}) {
    access.facts[socket] = {.cookie = socket == 102 ? 6u : 5u, .inode = socket == 102 ? 41u : 40u};
  }
  const std::vector<FdFindings::Socket> sockets = {
      {100, {7, 0, 3}}, {101, {7, 0, 4}}, {101, {8, 0, 4}}, {102, {7, 0, 5}}, {103, {9, 0, 1}}};

  const SocketHoldings few =
      ScanSockets(sockets, access, {.cookies = {{5, 40}}, .list_own = list_own, .many = 5});
  EXPECT_EQ(lists_asked, 0);
  EXPECT_EQ(access.cookies_asked, 4);
  const SocketHoldings many =
      ScanSockets(sockets, access, {.cookies = {{5, 40}}, .list_own = list_own, .many = 4});
  EXPECT_EQ(lists_asked, 1);
  EXPECT_EQ(access.cookies_asked, 5);

  EXPECT_EQ(Show(many), Show(few));
  EXPECT_EQ(many.holdings.size(), 4u);
  EXPECT_EQ(many.examined, 4u);
  // A cookie that is new is asked about as ever.
  const SocketHoldings unknown = ScanSockets(sockets, access, {.list_own = list_own, .many = 4});
  EXPECT_EQ(Show(unknown), Show(few));
}

TEST(ScanSockets, TriesAnotherHolderWhereOneRefusesOrIsGone) {
  FakeAccess access;
  access.facts[100] = {.cookie = 5, .inode = 40};
  access.refused = {{1, EPERM}, {2, ESRCH}};

  SocketHoldings result =
      ScanSockets({{100, {1, 0, 3}}, {100, {2, 0, 3}}, {100, {3, 0, 3}}}, access, {});

  EXPECT_THAT(Show(result), ElementsAre("40 kind: socket pid: 1 fd: 3 socket_inode: 100 count: 3"));
  EXPECT_THAT(ShowGaps(&result), IsEmpty());
}

TEST(ScanSockets, RefusalIsAGapAndAClosedSocketIsCounted) {
  FakeAccess access;
  access.facts[100] = {.cookie_error = EBADF};
  access.facts[101] = {.cookie = 9, .namespace_error = EPERM};
  access.facts[102] = {.cookie = 9, .namespace_error = EPERM};
  access.refused = {{1, EPERM}};

  SocketHoldings result = ScanSockets(
      {{90, {1, 0, 3}}, {91, {1, 0, 4}}, {100, {2, 0, 3}}, {101, {3, 0, 3}}, {102, {3, 0, 4}}},
      access, {});

  EXPECT_THAT(Show(result), IsEmpty());
  EXPECT_THAT(ShowGaps(&result),
              ElementsAre("pid:1 pidfd_getfd EPERM x2", "pid:3 ioctl SIOCGSKNS EPERM x2"));
  EXPECT_EQ(result.vanished, 1u);
  EXPECT_EQ(access.namespaces_asked, 1);
}

// Linux 5.6 to 5.13.
TEST(ScanSockets, AsksForNamespacesWhereThereAreNoCookies) {
  FakeAccess access;
  access.facts[100] = {.inode = 40, .cookie_error = ENOPROTOOPT};

  EXPECT_THAT(Show(ScanSockets({{100, {1, 0, 3}}}, access, {})),
              ElementsAre("40 kind: socket pid: 1 fd: 3 socket_inode: 100 count: 1"));
}

// Before Linux 5.6.
TEST(ScanSockets, SaysWhereDescriptorsCannotBeCopied) {
  FakeAccess access;
  access.refused = {{1, ENOSYS}};

  SocketHoldings result = ScanSockets({{100, {1, 0, 3}}}, access, {});

  EXPECT_TRUE(result.unavailable);
  EXPECT_THAT(ShowGaps(&result), IsEmpty());
}

TEST(ScanSockets, WithoutSocketsIsEmpty) {
  FakeAccess access;

  EXPECT_THAT(Show(ScanSockets({}, access, {.threads = 3})), IsEmpty());
}

TEST(ScanTuns, PassesOverWhatIsNoTun) {
  FakeAccess access;
  access.facts[-3] = {.inode = 40};
  access.facts[-4] = {.namespace_error = ESTALE};
  access.facts[-5] = {.namespace_error = EPERM};

  SocketHoldings result = ScanTuns({{1, 0, 5}, {1, 2, 3}, {1, 0, 4}}, access);

  EXPECT_THAT(Show(result), ElementsAre("40 kind: tun pid: 1 tid: 2 fd: 3"));
  EXPECT_THAT(ShowGaps(&result), ElementsAre("pid:1 pidfd_getfd EPERM x1"));
}

}  // namespace
}  // namespace nsctl::nsdisc
