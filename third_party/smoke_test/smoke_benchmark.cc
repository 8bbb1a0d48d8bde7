#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"

namespace {

void BM_StrSplit(benchmark::State& state) {
  const std::string line(state.range(0), ',');
  for (auto _ : state) {
    std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
    benchmark::DoNotOptimize(fields);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_StrSplit)->Arg(16)->Arg(256);

}  // namespace
