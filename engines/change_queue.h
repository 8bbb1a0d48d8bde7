// The changes that one subscriber has not taken yet: so many, and so large together, as are
// allowed.
//
// Who runs a container can have an engine of his own in it tell any number of changes. Such guests
// have a share of the queue, each and all together. Who takes more loses his own changes, and no
// other does; the host's engines lose theirs only where they are too many by themselves.
//
// For one thread at a time.

#ifndef NSCTL_ENGINES_CHANGE_QUEUE_H_
#define NSCTL_ENGINES_CHANGE_QUEUE_H_

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engines/container.h"

namespace nsctl::engines {

class ChangeQueue {
 public:
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  explicit ChangeQueue(size_t max_changes, size_t max_bytes = kMaxBytes)
      : max_{.changes = max_changes, .bytes = max_bytes} {}

  // Adds a change of the engine `key`.
  void Push(const Change& change, const std::string& key, bool is_guest);

  bool empty() const { return queue_.empty() && lost_.empty() && !lost_all_; }

  struct Taken {
    std::vector<Change> changes;
    // Those of all engines were lost, or those of these.
    bool lost_all = false;
    std::set<std::string> lost;
  };
  // Everything; what was lost is forgotten.
  Taken Take();

 private:
  struct Size {
    size_t changes = 0;
    size_t bytes = 0;

    void Add(const Size& other) {
      changes += other.changes;
      bytes += other.bytes;
    }
    void Subtract(const Size& other) {
      changes -= other.changes;
      bytes -= other.bytes;
    }
    bool Exceeds(const Size& limit, size_t share) const {
      return changes > limit.changes / share || bytes > limit.bytes / share;
    }
  };
  struct Queued {
    Change change;
    std::string key;
    size_t bytes = 0;
  };

  void Lose(const std::string& guest);
  const std::string& LargestGuest() const;

  const Size max_;
  std::deque<Queued> queue_;
  Size size_;
  Size guests_size_;
  // What each has in the queue, by key.
  std::map<std::string, Size> guests_;
  bool lost_all_ = false;
  std::set<std::string> lost_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CHANGE_QUEUE_H_
