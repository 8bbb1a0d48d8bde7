// Both back ends of the path resolver against each other and against a model, on random trees: the
// same file, or the same failure at the same component; and never the file outside.

#include <errno.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/types/span.h"
#include "base/errors.h"
#include "fuzz/random_tree.h"
#include "fuzz/tree_model.h"
#include "procfsroot/path_resolver.h"
#include "procfsroot/resolve_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nsctl::fuzz::Describe;
  using nsctl::procfsroot::Backend;
  const nsctl::fuzz::RandomTree tree(absl::MakeConstSpan(data, size < 512 ? size : 512));
  const nsctl::fuzz::TreeModel model(std::string(tree.root().path()));
  for (const std::string& path : tree.paths()) {
    for (const bool follow : {true, false}) {
      const auto resolve = [&](Backend backend) {
        return nsctl::procfsroot::Resolve(tree.root(), path,
                                          {.follow_last = follow, .backend = backend});
      };
      const auto by_kernel = resolve(Backend::kOpenat2);
      const int error = nsctl::base::ErrnoOf(by_kernel.status());
      if (error == ENOSYS) return 0;
      const std::string expected = Describe(by_kernel);
      if (Describe(resolve(Backend::kWalker)) != expected) abort();
      if (Describe(resolve(Backend::kAuto)) != expected) abort();
      const nsctl::fuzz::TreeModel::Answer answer = model.Resolve(path, follow);
      if (answer.error != error || (error == 0 && answer.file != expected)) abort();
      if (expected == tree.outside()) abort();
    }
  }
  return 0;
}
