// Resolutions while a thread exchanges what the path leads through: no result is ever outside.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NSCTL_SLOW_TEST 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NSCTL_SLOW_TEST 1
#endif
#endif

namespace nsctl::procfsroot {
namespace {

#ifdef NSCTL_SLOW_TEST
constexpr int kResolutions = 2000;
#else
constexpr int kResolutions = 20000;
#endif

// Exchanges two paths of a tree as fast as it can.
class Exchanger {
 public:
  Exchanger(const TestTree& tree, const std::string& one, const std::string& other)
      : thread_([this, root = tree.root().get(), one, other] {
          while (!stop_.load(std::memory_order_relaxed)) {
            if (renameat2(root, one.c_str(), root, other.c_str(), RENAME_EXCHANGE) == 0) ++count_;
          }
        }) {}
  ~Exchanger() {
    stop_ = true;
    thread_.join();
    EXPECT_GT(count_.load(), 0);
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> count_{0};
  std::thread thread_;
};

class PathResolverRace : public ::testing::TestWithParam<Backend> {
 protected:
  // Resolves each of `paths` in turn. What comes out is in `allowed` or one of the errors that a
  // tree in motion may give.
  static void ResolveOften(const TestTree& tree, const std::vector<std::string>& paths,
                           const std::set<std::string>& allowed) {
    const base::OwnedFd root(open(tree.PathOf("root").c_str(), O_PATH | O_CLOEXEC), "root");
    const std::set<int> errors = {ENOENT, EAGAIN, ENOTDIR, ELOOP};
    std::map<std::string, int> outcomes;
    for (int i = 0; i < kResolutions; ++i) {
      const std::string& path = paths[static_cast<size_t>(i) % paths.size()];
      const absl::StatusOr<base::OwnedFd> result = Resolve(root, path, {.backend = GetParam()});
      if (result.ok()) {
        ++outcomes["found"];
        ASSERT_EQ(allowed.count(IdentityOf(*result)), 1u) << path << " led outside";
        continue;
      }
      const int error = base::ErrnoOf(result.status());
      ++outcomes[base::ErrnoName(error)];
      ASSERT_EQ(errors.count(error), 1u) << result.status();
    }
    EXPECT_GT(outcomes["found"], 0);
    for (const auto& [outcome, count] : outcomes) RecordProperty(outcome, count);
  }
};

INSTANTIATE_TEST_SUITE_P(All, PathResolverRace,
                         ::testing::Values(Backend::kAuto, Backend::kOpenat2, Backend::kWalker));

TEST_P(PathResolverRace, ADirectoryAndALinkThatLeadsOutside) {
  TestTree tree(
      {{'f', "root/dir/sub/file"}, {'l', "root/link", "../outside"}, {'f', "outside/sub/file"}});
  const std::set<std::string> inside = {
      IdentityOf(tree.PathOf("root")), IdentityOf(tree.PathOf("root/dir")),
      IdentityOf(tree.PathOf("root/dir/sub")), IdentityOf(tree.PathOf("root/dir/sub/file"))};
  const Exchanger exchanger(tree, "root/dir", "root/link");

  ResolveOften(tree,
               {"dir/sub/file", "dir/sub/../../dir/sub/file", "dir/..", "dir/sub/../sub",
                "link/sub/file", "link/sub/.."},
               inside);
}

TEST_P(PathResolverRace, ADirectoryThatIsMovedOutsideBelowTheWalk) {
  TestTree tree({{'d', "root/a/b/c"},
                 {'d', "root/a/spare"},
                 {'f', "outside/deep/dir/c/x"},
                 {'f', "outside/secret"}});
  // Down into what is outside at that moment is where the kernel would go as well; up from there is
  // not.
  const std::set<std::string> inside = {IdentityOf(tree.PathOf("root")),
                                        IdentityOf(tree.PathOf("root/a")),
                                        IdentityOf(tree.PathOf("root/a/b"))};
  const Exchanger exchanger(tree, "root/a/b", "outside/deep/dir");

  ResolveOften(tree, {"a/b/../..", "a/b/c/../../..", "a/b/c/../../../../../secret", "a/b/.."},
               inside);
}

}  // namespace
}  // namespace nsctl::procfsroot
