#include "cmd/exec_progress.h"

#include <sys/mman.h>

namespace nsctl::cmd {

SharedProgress SharedProgress::Make() {
  SharedProgress progress;
  void* const memory =
      mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  // The kernel has filled it with zeros, which is no step.
  if (memory != MAP_FAILED) progress.memory_.reset(static_cast<Memory*>(memory));
  return progress;
}

void SharedProgress::Unmap::operator()(Memory* memory) const { munmap(memory, sizeof(*memory)); }

void SharedProgress::SetStep(const char* step) const {
  // The two processes have their literals at the same addresses.
  if (memory_ != nullptr) memory_->step.store(step, std::memory_order_relaxed);
}

const char* SharedProgress::step() const {
  return memory_ == nullptr ? nullptr : memory_->step.load(std::memory_order_relaxed);
}

void SharedProgress::SetGroupsStay() const {
  if (memory_ != nullptr) memory_->groups_stay.store(true, std::memory_order_relaxed);
}

bool SharedProgress::groups_stay() const {
  return memory_ != nullptr && memory_->groups_stay.load(std::memory_order_relaxed);
}

}  // namespace nsctl::cmd
