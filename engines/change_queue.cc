#include "engines/change_queue.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "engines/container.h"

namespace nsctl::engines {
namespace {

// Parts of the queue that one guest may take, and all of them.
constexpr size_t kShareOfGuest = 8;
constexpr size_t kShareOfGuests = 2;
// Of guests whose loss is remembered one by one.
constexpr size_t kMaxLost = 1000;

}  // namespace

void ChangeQueue::Lose(const std::string& guest) {
  const auto found = guests_.find(guest);
  if (found == guests_.end()) return;
  size_.Subtract(found->second);
  guests_size_.Subtract(found->second);
  std::erase_if(queue_, [&guest](const Queued& queued) { return queued.key == guest; });
  if (lost_.size() < kMaxLost) lost_.insert(guest);
  guests_.erase(found);
}

const std::string& ChangeQueue::LargestGuest() const {
  return std::max_element(
             guests_.begin(), guests_.end(),
             [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; })
      ->first;
}

void ChangeQueue::Push(const Change& change, const std::string& key, bool is_guest) {
  if (lost_all_ || lost_.contains(key)) return;
  const Size added = {.changes = 1, .bytes = change.ByteSizeLong() + sizeof(Queued)};
  queue_.push_back({.change = change, .key = key, .bytes = added.bytes});
  size_.Add(added);
  if (is_guest || guests_.contains(key)) {
    Size& guest = guests_[key];
    guest.Add(added);
    guests_size_.Add(added);
    if (guest.Exceeds(max_, kShareOfGuest)) Lose(key);
    while (guests_size_.Exceeds(max_, kShareOfGuests)) Lose(std::string(LargestGuest()));
  }
  while (size_.Exceeds(max_, 1) && !guests_.empty()) Lose(std::string(LargestGuest()));
  if (!size_.Exceeds(max_, 1)) return;
  (void)Take();
  lost_all_ = true;
}

ChangeQueue::Taken ChangeQueue::Take() {
  Taken taken = {.changes = {}, .lost_all = lost_all_, .lost = std::exchange(lost_, {})};
  taken.changes.reserve(queue_.size());
  for (Queued& queued : queue_) taken.changes.push_back(std::move(queued.change));
  queue_.clear();
  queue_.shrink_to_fit();
  size_ = guests_size_ = {};
  guests_.clear();
  lost_all_ = false;
  return taken;
}

}  // namespace nsctl::engines
