// What a process on its way to a command tells its parent without being asked: in memory that both
// have, so that it costs nothing where nobody wants to know.

#ifndef NSCTL_CMD_EXEC_PROGRESS_H_
#define NSCTL_CMD_EXEC_PROGRESS_H_

#include <atomic>
#include <memory>

namespace nsctl::cmd {

class SharedProgress {
 public:
  // Without memory for it, nothing is ever known.
  static SharedProgress Make();

  // `step` is a literal.
  void SetStep(const char* step) const;
  // Null where none was set.
  const char* step() const;

  void SetGroupsStay() const;
  bool groups_stay() const;

 private:
  struct Memory {
    std::atomic<const char*> step;
    std::atomic<bool> groups_stay;
  };
  struct Unmap {
    void operator()(Memory* memory) const;
  };
  std::unique_ptr<Memory, Unmap> memory_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_PROGRESS_H_
