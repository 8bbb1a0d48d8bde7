// The mounts of many namespaces, read, placed and encoded, against the system calls alone, against
// reading mountinfo alone and against libmount.
//
// BM_Namespaces_<how>/N does N namespaces with 60 mounts each; the budget for 558 of them is 100 ms
// of processor time. BM_Slaves_<how>/N does one namespace with N slave mounts, where mountinfo is
// quadratic. BM_Parse_<how>/N does a mountinfo text of N lines. BM_Place/N is the tree alone.

#include <fcntl.h>
#include <libmount/libmount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/mount_api.h"
#include "base/nsfs.h"
#include "benchmark/benchmark.h"
#include "google/protobuf/arena.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "mounttree/mountinfo.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"

namespace nsctl::mounttree {
namespace {

namespace abi = base::abi;

constexpr int kMountsOfNamespace = 60;

// A mount namespace and, opened inside, its mountinfo.
struct OpenNamespace {
  base::OwnedFd fd;
  base::OwnedFd mountinfo;
};

OpenNamespace OpenOwn() {
  return {base::OwnedFd(open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC)),
          base::OwnedFd(open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC))};
}

int CountMounts() {
  int count = 0;
  const auto text = base::ReadFileAt(base::FdRef(AT_FDCWD), "/proc/thread-self/mountinfo", 1 << 28);
  if (text.ok()) ForEachMount(*text, [&](const MountinfoRow&) { ++count; }).IgnoreError();
  return count;
}

// Runs `make` in a thread with a private mount namespace that ends with it, unless kept open, and
// an empty file system at the directory that it is given. That one belongs to nobody here: removing
// it would unmount what is on it everywhere.
std::vector<OpenNamespace> InThread(
    const std::function<std::vector<OpenNamespace>(const std::string&)>& make) {
  std::vector<OpenNamespace> namespaces;
  std::thread([&] {
    const std::string directory = std::filesystem::temp_directory_path();
    if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return;
    mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (mount("bench", directory.c_str(), "tmpfs", 0, nullptr) == 0) namespaces = make(directory);
  }).join();
  return namespaces;
}

// So many namespaces with kMountsOfNamespace mounts each; empty without CAP_SYS_ADMIN.
const std::vector<OpenNamespace>& ManyNamespaces(int64_t count) {
  static std::map<int64_t, std::vector<OpenNamespace>> made;
  const auto known = made.find(count);
  if (known != made.end()) return known->second;
  return made[count] = InThread([&](const std::string& directory) {
           for (int i = CountMounts(); i < kMountsOfNamespace; ++i) {
             const std::string path = absl::StrCat(directory, "/some-directory-", i);
             mkdir(path.c_str(), 0755);
             mount("shm", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=65536k");
           }
           std::vector<OpenNamespace> namespaces;
           for (int64_t i = 0; i < count && unshare(CLONE_NEWNS) == 0; ++i) {
             namespaces.push_back(OpenOwn());
           }
           return namespaces;
         });
}

// A namespace with `count` mounts of one peer group, and one that has slaves of them all: what
// reading the mountinfo of the second costs grows with the square.
const std::vector<OpenNamespace>& SlaveNamespace(int64_t count) {
  static std::map<int64_t, std::vector<OpenNamespace>> made;
  const auto known = made.find(count);
  if (known != made.end()) return known->second;
  return made[count] = InThread([&](const std::string& directory) {
           const std::string shared = directory + "/shared";
           mkdir(shared.c_str(), 0755);
           mount("shared", shared.c_str(), "tmpfs", 0, nullptr);
           mount(nullptr, shared.c_str(), nullptr, MS_SHARED, nullptr);
           for (int64_t i = 0; i < count; ++i) {
             const std::string path = absl::StrCat(directory, "/", i);
             mkdir(path.c_str(), 0755);
             mount(shared.c_str(), path.c_str(), nullptr, MS_BIND, nullptr);
           }
           std::vector<OpenNamespace> namespaces;
           namespaces.push_back(OpenOwn());
           if (unshare(CLONE_NEWNS) != 0) return namespaces;
           mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
           namespaces.push_back(OpenOwn());
           return namespaces;
         });
}

// Each of these does one namespace and returns the number of its mounts.
size_t Ours(const OpenNamespace& ns) {
  google::protobuf::Arena arena;
  auto* const mounts = google::protobuf::Arena::CreateMessage<MountNamespace>(&arena);
  if (!ReadMounts({.fd = ns.fd}, {}, mounts).ok()) return 0;
  const MountTree tree = PlaceMounts(mounts);
  const std::string encoded = mounts->SerializeAsString();
  benchmark::DoNotOptimize(encoded.data());
  return tree.size();
}

// What statmount(2) and listmount(2) take for the same answers.
size_t Floor(const OpenNamespace& ns) {
  const absl::StatusOr<uint64_t> id = base::MountNamespaceIdOf(ns.fd);
  if (!id.ok()) return 0;
  const base::MountNamespaceRef ref = base::MountNamespaceRef::WithId(*id);
  const auto ids = base::ListMounts(ref, base::kMaxMounts);
  if (!ids.ok()) return 0;
  base::StatMountBuffer buffer;
  constexpr uint64_t kMask =
      abi::kStatmountSbBasic | abi::kStatmountMntBasic | abi::kStatmountMntRoot |
      abi::kStatmountMntPoint | abi::kStatmountFsType | abi::kStatmountFsSubtype |
      abi::kStatmountSbSource | abi::kStatmountOptArray | abi::kStatmountOptSecArray;
  for (const base::UniqueMountId mount : *ids) {
    if (!base::StatMount(ref, mount, kMask, &buffer).ok()) return 0;
  }
  return ids->size();
}

// mountinfo read and not looked at.
std::string ReadText(const OpenNamespace& ns) {
  std::string text;
  if (lseek(ns.mountinfo.get(), 0, SEEK_SET) != 0 ||
      !base::ReadToEnd(ns.mountinfo, 1 << 28, &text).ok()) {
    return "";
  }
  return text;
}

size_t MountinfoAlone(const OpenNamespace& ns) { return ReadText(ns).empty() ? 0 : 1; }

size_t Mountinfo(const OpenNamespace& ns) {
  google::protobuf::Arena arena;
  auto* const mounts = google::protobuf::Arena::CreateMessage<MountNamespace>(&arena);
  if (!ParseMounts(ReadText(ns), base::kMaxMounts, mounts).ok()) return 0;
  const MountTree tree = PlaceMounts(mounts);
  const std::string encoded = mounts->SerializeAsString();
  benchmark::DoNotOptimize(encoded.data());
  return tree.size();
}

size_t ParseByLibmount(const std::string& text) {
  FILE* const stream = fmemopen(const_cast<char*>(text.data()), text.size(), "r");
  struct libmnt_table* const table = mnt_new_table();
  const int failed = mnt_table_parse_stream(table, stream, "mountinfo");
  const int count = failed != 0 ? 0 : mnt_table_get_nents(table);
  mnt_unref_table(table);
  fclose(stream);
  return static_cast<size_t>(count);
}

size_t Libmount(const OpenNamespace& ns) { return ParseByLibmount(ReadText(ns)); }

void OverNamespaces(benchmark::State& state, const std::vector<OpenNamespace>& namespaces,
                    size_t (*read)(const OpenNamespace&)) {
  if (namespaces.empty()) state.SkipWithError("needs CAP_SYS_ADMIN");
  size_t mounts = 0;
  for (auto _ : state) {
    for (const OpenNamespace& ns : namespaces) {
      const size_t count = read(ns);
      if (count == 0) state.SkipWithError("reading failed");
      mounts += count;
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(mounts));
}

template <size_t (*kRead)(const OpenNamespace&)>
void BM_Namespaces(benchmark::State& state) {
  OverNamespaces(state, ManyNamespaces(state.range(0)), kRead);
}
BENCHMARK_TEMPLATE(BM_Namespaces, Ours)->Arg(60)->Arg(558)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Namespaces, Floor)->Arg(60)->Arg(558)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Namespaces, Mountinfo)->Arg(60)->Arg(558)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Namespaces, MountinfoAlone)->Arg(558)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Namespaces, Libmount)->Arg(558)->Unit(benchmark::kMillisecond);

template <size_t (*kRead)(const OpenNamespace&)>
void BM_Slaves(benchmark::State& state) {
  const std::vector<OpenNamespace>& namespaces = SlaveNamespace(state.range(0));
  if (namespaces.size() != 2) {
    state.SkipWithError("needs CAP_SYS_ADMIN");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(kRead(namespaces[1]));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_TEMPLATE(BM_Slaves, Ours)->Arg(1500)->Arg(3000)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Slaves, Floor)->Arg(1500)->Arg(3000)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Slaves, MountinfoAlone)->Arg(1500)->Arg(3000)->Unit(benchmark::kMillisecond);

// A text like that of a busy container host.
std::string MakeText(int64_t lines) {
  std::string text = "1 0 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n";
  for (int64_t i = 2; i <= lines; ++i) {
    absl::StrAppend(&text, i, " 1 0:", i,
                    " / /run/containerd/io.containerd.runtime.v2.task/k8s.io/",
                    absl::Hex(i * 0x9e3779b97f4a7c15u, absl::kZeroPad16),
                    "/rootfs rw,nosuid,nodev,relatime shared:", i, " master:1 - ",
                    i % 3 == 0 ? "overlay overlay rw,lowerdir=/a:/b:/c,upperdir=/d,workdir=/e\n"
                               : "tmpfs tmpfs rw,size=65536k,mode=755\n");
  }
  return text;
}

size_t ParseRows(const std::string& text) {
  size_t rows = 0;
  ForEachMount(text, [&](const MountinfoRow&) { ++rows; }).IgnoreError();
  return rows;
}

// Only where the lines end.
size_t FindLines(const std::string& text) {
  size_t lines = 0;
  for (size_t end = 0; (end = text.find('\n', end)) != std::string::npos; ++end) ++lines;
  return lines;
}

template <size_t (*kParse)(const std::string&)>
void BM_Parse(benchmark::State& state) {
  const std::string text = MakeText(state.range(0));
  for (auto _ : state) {
    if (kParse(text) != static_cast<size_t>(state.range(0)))
      state.SkipWithError("rows are missing");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_TEMPLATE(BM_Parse, ParseRows)->Arg(60)->Arg(10000);
BENCHMARK_TEMPLATE(BM_Parse, FindLines)->Arg(60)->Arg(10000);
BENCHMARK_TEMPLATE(BM_Parse, ParseByLibmount)->Arg(60)->Arg(10000);

// Text to encoded message; doubling the mounts doubles the time.
void BM_TextToMessage(benchmark::State& state) {
  const std::string text = MakeText(state.range(0));
  for (auto _ : state) {
    google::protobuf::Arena arena;
    auto* const mounts = google::protobuf::Arena::CreateMessage<MountNamespace>(&arena);
    if (!ParseMounts(text, base::kMaxMounts, mounts).ok()) state.SkipWithError("parsing failed");
    const MountTree tree = PlaceMounts(mounts);
    const std::string encoded = mounts->SerializeAsString();
    benchmark::DoNotOptimize(encoded.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_TextToMessage)->Arg(50000)->Arg(100000)->Unit(benchmark::kMillisecond);

// The tree of mounts side by side (range(1) = 0), or of one stack.
void BM_Place(benchmark::State& state) {
  MountNamespace mounts;
  if (!ParseMounts(MakeText(state.range(0)), base::kMaxMounts, &mounts).ok()) {
    state.SkipWithError("parsing failed");
  }
  if (state.range(1) != 0) {
    for (Mount& mount : *mounts.mutable_mounts()) {
      mount.set_parent_id(mount.mount_id() - 1);
      mount.set_mount_point("/");
    }
  }
  for (auto _ : state) {
    const MountTree tree = PlaceMounts(&mounts);
    benchmark::DoNotOptimize(tree.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Place)->Args({1000, 1})->Args({50000, 0})->Args({100000, 0})->Args({100000, 1});

}  // namespace
}  // namespace nsctl::mounttree
