#include "testing/child_fds.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace nsctl::testing {
namespace {

void CloseRange(unsigned int first, unsigned int last) {
  if (first <= last) syscall(SYS_close_range, first, last, 0);
}

}  // namespace

void CloseDescriptorsBut(int a, int b) {
  const auto low = static_cast<unsigned int>(a < b ? a : b);
  const auto high = static_cast<unsigned int>(a < b ? b : a);
  CloseRange(3, low - 1);
  CloseRange(low + 1, high - 1);
  CloseRange(high + 1, ~0u);
}

}  // namespace nsctl::testing
