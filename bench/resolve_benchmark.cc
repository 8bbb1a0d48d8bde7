// A path resolved in another root, by each back end, against openat2(2) alone.
//
// BM_Resolve_<back end>/N resolves a path of N directories, BM_ResolveLinks_<back end>/N one that
// leads through N links. The budget is 1.15 times BM_Resolve_Floor.

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "benchmark/benchmark.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/root.h"

namespace nsctl::procfsroot {
namespace {

// "d/d/.../d" 16 deep, and links l1 -> d, l2 -> l1, ... l16; removed at the program's end.
class Tree {
 public:
  static const Tree& Get() {
    static const Tree tree;
    return tree;
  }
  const std::string& path() const { return path_; }
  int root() const { return root_.get(); }

 private:
  Tree() : path_(std::filesystem::temp_directory_path() / "resolve_benchmark.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) abort();
    root_ = base::OwnedFd(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), path_);
    std::filesystem::create_directories(absl::StrCat(path_, "/", Directories(16)));
    for (int i = 1; i <= 16; ++i) {
      const std::string target = i == 1 ? "d" : absl::StrCat("l", i - 1);
      if (symlinkat(target.c_str(), root_.get(), absl::StrCat("l", i).c_str()) != 0) abort();
    }
  }
  ~Tree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

 public:
  static std::string Directories(int64_t count) {
    std::string path = "d";
    for (int64_t i = 1; i < count; ++i) path += "/d";
    return path;
  }

 private:
  std::string path_;
  base::OwnedFd root_;
};

std::string Directories(int64_t count) { return Tree::Directories(count); }
std::string Links(int64_t count) { return absl::StrCat("l", count); }

template <typename MakePath>
void Floor(benchmark::State& state, MakePath make_path) {
  const std::string path = make_path(state.range(0));
  const int root = Tree::Get().root();
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (auto _ : state) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd < 0) {
      state.SkipWithError("openat2 failed");
      break;
    }
    close(static_cast<int>(fd));
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename MakePath>
void WithBackend(benchmark::State& state, MakePath make_path, Backend backend) {
  const std::string path = make_path(state.range(0));
  const base::FdRef root(Tree::Get().root(), Tree::Get().path());
  for (auto _ : state) {
    // As Root has it, which knows its file system.
    const absl::StatusOr<base::OwnedFd> handle =
        Resolve(root, path, {.root_is_no_procfs = true, .backend = backend});
    if (!handle.ok()) {
      state.SkipWithError("Resolve failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename Call>
void OfRoot(benchmark::State& state, Call call) {
  const absl::StatusOr<Root> root = Root::OfPath(Tree::Get().path());
  if (!root.ok()) {
    state.SkipWithError("Root::OfPath failed");
    return;
  }
  const std::string path = Directories(state.range(0));
  for (auto _ : state) {
    if (!call(*root, path)) {
      state.SkipWithError("call failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Resolve_Floor(benchmark::State& state) { Floor(state, Directories); }
void BM_Resolve_Auto(benchmark::State& state) { WithBackend(state, Directories, Backend::kAuto); }
void BM_Resolve_Openat2(benchmark::State& state) {
  WithBackend(state, Directories, Backend::kOpenat2);
}
void BM_Resolve_Walker(benchmark::State& state) {
  WithBackend(state, Directories, Backend::kWalker);
}
void BM_Resolve_Root(benchmark::State& state) {
  OfRoot(state, [](const Root& root, const std::string& path) { return root.Resolve(path).ok(); });
}
void BM_ResolveLinks_Floor(benchmark::State& state) { Floor(state, Links); }
void BM_ResolveLinks_Auto(benchmark::State& state) { WithBackend(state, Links, Backend::kAuto); }
void BM_ResolveLinks_Openat2(benchmark::State& state) {
  WithBackend(state, Links, Backend::kOpenat2);
}
void BM_ResolveLinks_Walker(benchmark::State& state) {
  WithBackend(state, Links, Backend::kWalker);
}
// What going through a worker adds: a directory's fresh attributes.
void BM_StatInWorker_Root(benchmark::State& state) {
  OfRoot(state, [](const Root& root, const std::string& path) { return root.Stat(path).ok(); });
}

BENCHMARK(BM_Resolve_Floor)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_Resolve_Auto)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_Resolve_Openat2)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_Resolve_Walker)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_Resolve_Root)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_ResolveLinks_Floor)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_ResolveLinks_Auto)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_ResolveLinks_Openat2)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_ResolveLinks_Walker)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK(BM_StatInWorker_Root)->Arg(1)->UseRealTime();

}  // namespace
}  // namespace nsctl::procfsroot
