// Snapshots written and read in every encoding, against protobuf alone.
//
// BM_Write<encoding>/N writes a snapshot of this host with N processes more to /dev/null, as `nsctl
// snapshot` does; BM_Read<encoding>/N takes the bytes for a stranger's, as `--from` does. What ends
// in "Alone" is the same by protobuf, which holds the whole text and reads without checking; Lxkns
// is to be seen beside Json.

#include <fcntl.h>
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "benchmark/benchmark.h"
#include "cmd/lxkns_json.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/snapshot_pieces.h"
#include "cmd/writer.h"
#include "google/protobuf/util/json_util.h"
#include "nsdisc/discover.h"
#include "nsdisc/questions.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/procfs.h"
#include "testing/many_processes.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Snapshot;

std::unique_ptr<Snapshot> TakeSnapshot(int64_t more) {
  const auto processes = testing::ManyProcesses::Start({.count = static_cast<size_t>(more)});
  const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
  if (!processes.ok() || !procfs.ok()) abort();
  nsdisc::KernelQuestions kernel;
  nsdisc::DiscoverOptions options;
  options.mounts = true;
  auto snapshot = nsdisc::Discover(*procfs, kernel.For(*procfs), options);
  if (!snapshot.ok()) abort();
  return *std::move(snapshot);
}

// Taken once for each size.
const Snapshot& SnapshotOf(int64_t more) {
  static auto& taken = *new std::map<int64_t, std::unique_ptr<Snapshot>>;
  std::unique_ptr<Snapshot>& snapshot = taken[more];
  if (snapshot == nullptr) snapshot = TakeSnapshot(more);
  return *snapshot;
}

// As standard output is, and counts.
class NullWriter : public Writer {
 public:
  NullWriter() : fd_(open("/dev/null", O_WRONLY | O_CLOEXEC)), out_(fd_) {}

  void Append(absl::string_view bytes) override {
    size_ += bytes.size();
    out_.Append(bytes);
  }
  absl::Status Flush() override { return out_.Flush(); }
  bool ok() const override { return out_.ok(); }
  size_t size() const { return size_; }

 private:
  base::OwnedFd fd_;
  FdWriter out_;
  size_t size_ = 0;
};

// Each of these writes a snapshot.
template <Format kFormat>
void Write(const Snapshot& snapshot, Writer* out) {
  const auto pieces = [&](RecordSink sink) { ForEachSnapshotPiece(snapshot, sink); };
  WriteMessage(snapshot, pieces, kFormat, out).IgnoreError();
}

void Lxkns(const Snapshot& snapshot, Writer* out) { WriteLxknsJson(snapshot, out); }

void PbAlone(const Snapshot& snapshot, Writer* out) { out->Append(snapshot.SerializeAsString()); }

void JsonAlone(const Snapshot& snapshot, Writer* out) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(snapshot, &json, options).ok()) return;
  out->Append(json);
}

using WriteFunction = void(const Snapshot&, Writer*);

template <WriteFunction kWrite>
void BM_Write(benchmark::State& state) {
  const Snapshot& snapshot = SnapshotOf(state.range(0));
  NullWriter out;
  for (auto _ : state) {
    kWrite(snapshot, &out);
    if (!out.Flush().ok()) state.SkipWithError("writing failed");
  }
  if (out.size() == 0) state.SkipWithError("nothing was written");
  state.SetBytesProcessed(static_cast<int64_t>(out.size()));
  state.SetItemsProcessed(state.iterations() * snapshot.processes_size());
}
BENCHMARK_TEMPLATE(BM_Write, Write<Format::kPb>)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, PbAlone)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, Write<Format::kJson>)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, JsonAlone)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, Write<Format::kJsonl>)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, Write<Format::kTextproto>)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Write, Lxkns)->Arg(1000)->Arg(5000);

// Each of these says how many processes it has read.
int Ours(const std::string& bytes) {
  const auto snapshot = nsdisc::ParseSnapshot(bytes, "bench");
  return snapshot.ok() ? (*snapshot)->processes_size() : -1;
}

int ParsePbAlone(const std::string& bytes) {
  const auto snapshot = std::make_unique<Snapshot>();
  return snapshot->ParseFromString(bytes) ? snapshot->processes_size() : -1;
}

int ParseJsonAlone(const std::string& bytes) {
  const auto snapshot = std::make_unique<Snapshot>();
  const auto status = google::protobuf::util::JsonStringToMessage(bytes, snapshot.get(), {});
  return status.ok() ? snapshot->processes_size() : -1;
}

template <WriteFunction kWrite, int (*kRead)(const std::string&)>
void BM_Read(benchmark::State& state) {
  const Snapshot& snapshot = SnapshotOf(state.range(0));
  StringWriter written;
  kWrite(snapshot, &written);
  const std::string& bytes = written.text();
  for (auto _ : state) {
    if (kRead(bytes) != snapshot.processes_size()) state.SkipWithError("processes are missing");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
  state.SetItemsProcessed(state.iterations() * snapshot.processes_size());
}
BENCHMARK_TEMPLATE(BM_Read, Write<Format::kPb>, Ours)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, PbAlone, ParsePbAlone)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, Write<Format::kDelimitedPb>, Ours)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, Write<Format::kJson>, Ours)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, JsonAlone, ParseJsonAlone)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, Write<Format::kJsonl>, Ours)->Arg(1000)->Arg(5000);
BENCHMARK_TEMPLATE(BM_Read, Write<Format::kTextproto>, Ours)->Arg(1000)->Arg(5000);

}  // namespace
}  // namespace nsctl::cmd
