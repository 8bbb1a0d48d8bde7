// Both back ends of the path resolver against each other, on random trees: the same file, or the
// same failure at the same component; and never the file outside.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/types/span.h"
#include "fuzz/random_tree.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nsctl::procfsroot::Backend;
  const nsctl::fuzz::RandomTree tree(absl::MakeConstSpan(data, size < 512 ? size : 512));
  for (const std::string& path : tree.paths()) {
    for (const bool follow : {true, false}) {
      const auto resolve = [&](Backend backend) {
        return nsctl::fuzz::Describe(nsctl::procfsroot::Resolve(
            tree.root(), path, {.follow_last = follow, .backend = backend}));
      };
      const std::string expected = resolve(Backend::kOpenat2);
      if (expected.find("ENOSYS") != std::string::npos) return 0;
      if (resolve(Backend::kWalker) != expected || resolve(Backend::kAuto) != expected) abort();
      if (expected == tree.outside()) abort();
    }
  }
  return 0;
}
