#include "procfsroot/path_resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {

void PrintTo(Backend backend, std::ostream* os) {
  constexpr std::array<const char*, 3> kNames = {"Auto", "Openat2", "Walker"};
  *os << kNames[static_cast<size_t>(backend)];
}

namespace {

using ::testing::EndsWith;
using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

// What a row expects: the path that the result is, or an errno and the component it is at.
struct Outcome {
  std::string path = "";
  int error = 0;
  std::string component = "";
};
Outcome Is(std::string path) { return {.path = std::move(path)}; }
Outcome Fails(int error, std::string component) {
  return {.error = error, .component = std::move(component)};
}

struct Row {
  std::string name;
  std::string input;
  Outcome follow;
  // nullopt: as `follow`.
  std::optional<Outcome> no_follow = std::nullopt;
};

class PathResolver : public ::testing::TestWithParam<Backend> {
 protected:
  static ResolveOptions Options(bool follow_last = true) {
    // Other tests mount and rename at the same time, which disturbs the kernel's walk upwards.
    return {.follow_last = follow_last,
            .backend = GetParam(),
            .max_attempts = 1'000'000,
            .patience = absl::Seconds(10)};
  }

  static void Check(const TestTree& tree, const Row& row, bool follow_last) {
    SCOPED_TRACE(absl::StrCat(row.name, follow_last ? "" : ", last link not followed"));
    const Outcome& expected = follow_last ? row.follow : row.no_follow.value_or(row.follow);

    const absl::StatusOr<base::OwnedFd> result =
        Resolve(tree.root(), row.input, Options(follow_last));

    if (expected.error != 0) {
      EXPECT_THAT(result, HasErrno(expected.error));
      if (!expected.component.empty()) {
        EXPECT_THAT(std::string(result.status().message()),
                    HasSubstr(absl::StrCat(" at component \"", expected.component, "\"")));
      }
      return;
    }
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(IdentityOf(*result), IdentityOf(tree.PathOf(expected.path))) << expected.path;
    EXPECT_NE(fcntl(result->get(), F_GETFL) & O_PATH, 0);
    EXPECT_EQ(fcntl(result->get(), F_GETFD), FD_CLOEXEC);
  }

  static void Check(const TestTree& tree, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      Check(tree, row, true);
      Check(tree, row, false);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(All, PathResolver,
                         ::testing::Values(Backend::kAuto, Backend::kOpenat2, Backend::kWalker),
                         ::testing::PrintToStringParamName());

// `count` links, each to the next; the last leads to a/b.txt.
void MakeChain(TestTree* tree, const std::string& name, int count) {
  for (int i = 1; i < count; ++i) {
    tree->Make({'l', absl::StrCat(name, i), absl::StrCat(name, i + 1)});
  }
  tree->Make({'l', absl::StrCat(name, count), "a/b.txt"});
}

std::vector<TestTree::Entry> CommonTree() {
  return {{'f', "a/b.txt"},
          {'f', "a/d/dummy.txt"},
          {'s', "run/d.sock"},
          {'l', "var/run", "../../../run"},
          {'l', "relsymlink", "a/b.txt"},
          {'l', "unrooter/esc", "../../out.txt"},
          {'l', "la", "a"},
          {'l', "lla", "la"},
          {'l', "slashed", "a//"},
          {'l', "tofile", "a/b.txt/"},
          {'l', "toroot", "/"},
          {'l', "abs", "///a/./d"},
          {'l', "dangling", "nowhere"},
          {'l', "loop", "loop"}};
}

TEST_P(PathResolver, AnswersAsTheKernelWouldWereTheRootSlash) {
  TestTree tree(CommonTree());
  const std::vector<Row> rows = {
      {"empty", "", Fails(ENOENT, "")},
      {"dot dot at root", "..", Is("")},
      {"slash dot dot", "/..", Is("")},
      {"root", "/", Is("")},
      {"roots", "///", Is("")},
      {"dot", ".", Is("")},
      {"no slash", "a", Is("a")},
      {"clamped", "/../a", Is("a")},
      {"clamped late", "/a/d/../../../a", Is("a")},
      {"link above the root", "/var/run/d.sock", Is("run/d.sock")},
      {"link to what is outside", "/unrooter/esc", Fails(ENOENT, "esc"), Is("unrooter/esc")},
      {"link to a file, slash", "/relsymlink/", Fails(ENOTDIR, "relsymlink")},
      {"link", "/relsymlink", Is("a/b.txt"), Is("relsymlink")},
      {"file, dot dot", "/a/b.txt/..", Fails(ENOTDIR, "b.txt")},
      {"file, dot", "/a/b.txt/.", Fails(ENOTDIR, "b.txt")},
      {"file, slash", "/a/b.txt/", Fails(ENOTDIR, "b.txt")},
      {"file, name", "/a/b.txt/c", Fails(ENOTDIR, "b.txt")},
      {"absent, dot dot", "/a/zzz/..", Fails(ENOENT, "zzz")},
      {"absent in the middle", "/a/zzz/b.txt", Fails(ENOENT, "zzz")},
      {"absent at the end", "/a/zzz", Fails(ENOENT, "zzz")},
      {"absent, slash", "/a/zzz/", Fails(ENOENT, "zzz")},
      {"link to a directory, dot dot", "/la/..", Is("")},
      {"links, slash", "/lla/", Is("a")},
      {"links", "/lla", Is("a"), Is("lla")},
      {"link with slashes", "/slashed", Is("a"), Is("slashed")},
      {"link with slashes, name", "/slashed/b.txt", Is("a/b.txt")},
      {"link that wants a directory", "/tofile", Fails(ENOTDIR, "tofile"), Is("tofile")},
      {"link to the root", "/toroot", Is(""), Is("toroot")},
      {"link to the root, name", "/a/d/../../toroot/la/b.txt", Is("a/b.txt")},
      {"absolute link", "/abs/dummy.txt", Is("a/d/dummy.txt")},
      {"dangling", "/dangling", Fails(ENOENT, "dangling"), Is("dangling")},
      {"dangling, name", "/dangling/x", Fails(ENOENT, "dangling")},
      {"loop", "/loop", Fails(ELOOP, "loop"), Is("loop")},
      {"loop, slash", "/loop/", Fails(ELOOP, "loop")},
  };

  Check(tree, rows);
}

TEST_P(PathResolver, FollowsFortyLinksAndNoMore) {
  TestTree tree(CommonTree());
  MakeChain(&tree, "forty", 40);
  MakeChain(&tree, "more", 41);

  Check(tree, {{"40", "/forty1", Is("a/b.txt"), Is("forty1")},
               {"41", "/more1", Fails(ELOOP, "more1"), Is("more1")},
               {"39 of them twice", "/forty2/../more2", Fails(ENOTDIR, "forty2")}});
}

TEST_P(PathResolver, KeepsThePhysicalMeaningOfDotDot) {
  TestTree tree({{'d', "target"},
                 {'l', "link1/target_abs", "/target"},
                 {'l', "link1/target_rel", "../target"},
                 {'l', "link2/link1_abs", "/link1"},
                 {'l', "link2/link1_rel", "../link1"},
                 {'l', "link3/target_abs", "/link2/link1_rel/target_rel"},
                 {'l', "link3/target_rel", "../link2/link1_rel/target_rel"},
                 {'l', "link3/deep", "../link2/link1_abs/target_abs/../../../target"},
                 {'d', "b/c/d/e/f"}});
  const std::vector<Row> rows = {
      {"noise", "b///././c////.//d/./././///e////.//./f//././././", Is("b/c/d/e/f")},
      {"absolute", "link2/link1_abs/../target", Is("target")},
      {"relative", "link2/link1_rel/../target", Is("target")},
      {"absolute twice", "link2/link1_abs/target_abs/../target", Is("target")},
      {"missing tail", "link3/target_abs/../target/foo/bar/../baz", Fails(ENOENT, "foo")},
      {"missing tail, relative", "link3/target_rel/../target/foo", Fails(ENOENT, "foo")},
      {"links in links", "link3/deep", Is("target"), Is("link3/deep")},
  };

  Check(tree, rows);
}

TEST_P(PathResolver, NamesTheComponentOfTheCallersPathWhereALinkDangles) {
  TestTree tree({{'l', "dangling/a", "b/c"},
                 {'d', "dangling/b"},
                 {'l', "dangling/b/c", "../c"},
                 {'l', "dangling/c", "d/e"},
                 {'d', "dangling/d"},
                 {'l', "dangling/d/e", "../e"},
                 {'l', "dangling/e", "f/../g"},
                 {'d', "dangling/f"},
                 {'l', "dangling/g", "h/i/j/nonexistent"},
                 {'d', "dangling/h/i/j"}});
  const std::vector<Row> rows = {
      {"chain", "dangling/a", Fails(ENOENT, "a"), Is("dangling/a")},
      {"chain, name", "dangling/a/x", Fails(ENOENT, "a")},
      {"from its middle", "dangling/d/e", Fails(ENOENT, "e"), Is("dangling/d/e")},
      {"past it", "dangling/a/../../b/x", Fails(ENOENT, "a")},
  };

  Check(tree, rows);
}

TEST_P(PathResolver, EndsInALoopOfManyLinks) {
  TestTree tree({{'l', "loop/a/link", "../b/link"},
                 {'l', "loop/b/link", "/loop/c/link"},
                 {'l', "loop/c/link", "/loop/d/link"},
                 {'l', "loop/d/link", "../e/link"},
                 {'l', "loop/e/link", "../a/link"}});

  Check(tree, {{"loop of five", "loop/a/link", Fails(ELOOP, "link"), Is("loop/a/link")},
               {"loop of five, name", "loop/e/link/x", Fails(ELOOP, "link")}});
}

TEST_P(PathResolver, ResolvesEndpointsThatAreNoFiles) {
  TestTree tree({{'p', "fifo"}, {'s', "sock"}, {'l', "tofifo", "fifo"}});
  std::vector<Row> rows = {{"link", "tofifo", Is("fifo"), Is("tofifo")}};
  for (const std::string name : {"fifo", "sock"}) {
    rows.push_back({name, name, Is(name)});
    for (const char* const more : {"/", "/.", "/.."}) {
      rows.push_back({name + more, name + more, Fails(ENOTDIR, name)});
    }
  }

  Check(tree, rows);
}

TEST_P(PathResolver, TakesNamesOfAnyBytes) {
  const std::string odd = "new\nline\x1b\xff\xfe:\\";
  TestTree tree({{'f', absl::StrCat(odd, "/", odd)}, {'l', "link", odd}});

  Check(tree, {{"odd", absl::StrCat("/", odd, "/", odd), Is(absl::StrCat(odd, "/", odd))},
               {"by link", absl::StrCat("link/", odd), Is(absl::StrCat(odd, "/", odd))},
               {"escaped in messages", "a\n\xff", Fails(ENOENT, "a\\x0a\\xff")}});
}

TEST_P(PathResolver, RefusesPathsThatAreNone) {
  TestTree tree({});

  EXPECT_THAT(
      Resolve(tree.root(), absl::string_view("a\0b", 3), Options()),
      StatusIs(absl::StatusCode::kInvalidArgument, "resolve: a path cannot hold a NUL byte"));
  EXPECT_THAT(Resolve(tree.root(), std::string(4096, '/'), Options()), HasErrno(ENAMETOOLONG));
  EXPECT_THAT(Resolve(tree.root(), std::string(4095, '/'), Options()), IsOk());
  EXPECT_THAT(Resolve(tree.root(), std::string(256, 'x'), Options()), HasErrno(ENAMETOOLONG));
}

TEST_P(PathResolver, SaysWhatFailedInOneLine) {
  TestTree tree({{'d', "a"}});

  const absl::StatusOr<base::OwnedFd> result = Resolve(tree.root(), "/a/zzz/b", Options());

  EXPECT_THAT(result, StatusIs(absl::StatusCode::kNotFound,
                               absl::StrCat("resolve ", tree.path(),
                                            "/a/zzz/b: No such file or directory (ENOENT) at "
                                            "component \"zzz\"")));
}

TEST_P(PathResolver, NamesItsResult) {
  TestTree tree({{'d', "a"}});

  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd handle, Resolve(tree.root(), "/a", Options()));

  EXPECT_EQ(handle.path(), absl::StrCat(tree.path(), "/a"));
}

// Deeper than the descriptors that a process may have open.
TEST_P(PathResolver, WalksDeeperThanDescriptorsGo) {
  TestTree tree({});
  std::string deep = "x";
  for (int i = 0; i < 400; ++i) deep += "/x";
  std::string up = deep;
  for (int i = 0; i < 400; ++i) up += "/..";
  tree.Make({'d', deep});
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few = {.rlim_cur = 128, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);

  Check(tree, {{"down", deep, Is(deep)}, {"up again", up, Is("x")}});

  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_P(PathResolver, FollowsNoMagicLink) {
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  const std::vector<std::string> magic = {
      "/proc/self/exe",  "/proc/self/cwd",    "/proc/self/root",       "/proc/self/root/etc/passwd",
      "/proc/self/fd/0", "/proc/self/ns/net", "/proc/thread-self/exe", "/proc/self/fd/0/../x"};
  for (const std::string& path : magic) {
    SCOPED_TRACE(path);
    EXPECT_THAT(Resolve(root, path, Options()), HasErrno(ELOOP));
  }
}

TEST(PathResolverReason, TellsAMagicLinkAndAMountFromALoop) {
  TestTree tree({{'l', "loop", "loop"}});
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  for (const Backend backend : {Backend::kAuto, Backend::kWalker}) {
    const ResolveOptions options = {.backend = backend};
    EXPECT_THAT(Resolve(tree.root(), "loop", options),
                StatusIs(absl::StatusCode::kUnknown,
                         EndsWith("symbolic links (ELOOP) at component \"loop\"")));
    EXPECT_THAT(Resolve(root, "/proc/self/root/etc", options),
                StatusIs(absl::StatusCode::kUnknown,
                         HasSubstr("Link is not followed (ELOOP) at component \"root\", which is a "
                                   "magic link")));
    EXPECT_THAT(Resolve(root, "/proc/self", {.same_mount = true, .backend = backend}),
                StatusIs(absl::StatusCode::kUnimplemented,
                         EndsWith("(EXDEV) at component \"proc\", which is a mount point")));
    EXPECT_THAT(Resolve(root, "/etc/mtab", {.same_mount = true, .backend = backend}),
                StatusIs(absl::StatusCode::kUnimplemented,
                         EndsWith("\"mtab\", which is a link across a mount point")));
  }
}

TEST(PathResolverReason, TellsWhatIsMissingOfALink) {
  TestTree tree({{'l', "abs", "/tmp/secret"},
                 {'l', "on", "abs"},
                 {'f', "file"},
                 {'l', "through", "file/x"},
                 {'l', "dir", "d"},
                 {'d', "d"}});
  struct Case {
    const char* path;
    const char* end;
  };
  const Case cases[] = {
      {"abs",
       "(ENOENT) at component \"abs\", a link to \"/tmp/secret\", of which \"tmp\" is missing"},
      {"on",
       "(ENOENT) at component \"on\", a link to \"abs\" and on to \"/tmp/secret\", of which "
       "\"tmp\" is missing"},
      {"through", "(ENOTDIR) at component \"through\", a link to \"file/x\", at \"file\" of it"},
      {"dir/none", "(ENOENT) at component \"none\""},
      {"none", "(ENOENT) at component \"none\""},
      {"file/x", "(ENOTDIR) at component \"file\""},
  };
  for (const Backend backend : {Backend::kAuto, Backend::kWalker}) {
    for (const Case& c : cases) {
      EXPECT_THAT(
          std::string(Resolve(tree.root(), c.path, {.backend = backend}).status().message()),
          EndsWith(c.end));
    }
  }
}

TEST_P(PathResolver, KeepsAMagicLinkItself) {
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");

  const std::string exe = absl::StrCat("/proc/", getppid(), "/exe");
  EXPECT_THAT(Resolve(root, exe, Options(false)), IsOk());
  EXPECT_THAT(Resolve(root, exe + "/", Options(false)), HasErrno(ELOOP));
}

TEST_P(PathResolver, FollowsOrdinaryLinksOfProcfs) {
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  for (const std::string path :
       {"/proc/self/status", "/proc/thread-self/stat", "/proc/mounts", "/proc/net/dev"}) {
    SCOPED_TRACE(path);
    ResolveOptions options = Options();
    options.may_be_reader = true;
    EXPECT_THAT(Resolve(root, path, options), IsOk());
  }
}

TEST_P(PathResolver, StaysOnOneMountIfAsked) {
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  ResolveOptions options = Options();
  options.same_mount = true;

  EXPECT_THAT(Resolve(root, "/proc/self/status", options),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("at component \"proc\"")));
  EXPECT_THAT(Resolve(root, "/proc", options), HasErrno(EXDEV));
  EXPECT_THAT(Resolve(root, "/proc/..", options), HasErrno(EXDEV));
  EXPECT_THAT(Resolve(root, "/etc/passwd", options), IsOk());
}

TEST_P(PathResolver, RefusesARootThatIsNoDirectory) {
  TestTree tree({{'f', "file"}});
  const base::OwnedFd file(open(tree.PathOf("file").c_str(), O_PATH | O_CLOEXEC), "file");

  EXPECT_THAT(Resolve(file, "a", Options()), HasErrno(ENOTDIR));
}

TEST(ResolveCached, AnswersWithoutAWalkOrNotAtAll) {
  TestTree tree(CommonTree());
  const base::OwnedFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
  // Brings it into the caches.
  ASSERT_THAT(Resolve(tree.root(), "a/b.txt", {.backend = Backend::kOpenat2}), IsOk());
  ASSERT_THAT(Resolve(root, "proc/version", {.backend = Backend::kOpenat2}), IsOk());

  const std::optional<absl::StatusOr<base::OwnedFd>> cached =
      ResolveCached(tree.root(), "relsymlink");
  if (!cached.has_value()) GTEST_SKIP() << "needs openat2's RESOLVE_CACHED (Linux 5.12)";

  ASSERT_THAT(*cached, IsOk());
  EXPECT_EQ(IdentityOf(**cached), IdentityOf(tree.PathOf("a/b.txt")));
  EXPECT_EQ(ResolveCached(root, "proc/version"), std::nullopt) << "crosses a mount";
  const base::OwnedFd procfs(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "/proc");
  EXPECT_EQ(ResolveCached(procfs, "self/stat"), std::nullopt) << "may mean this process";
  EXPECT_EQ(ResolveCached(tree.root(), "a", {.backend = Backend::kWalker}), std::nullopt);
}

}  // namespace
}  // namespace nsctl::procfsroot
