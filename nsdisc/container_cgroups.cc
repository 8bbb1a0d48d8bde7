#include "nsdisc/container_cgroups.h"

#include <cstddef>
#include <cstdint>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"

namespace nsctl::nsdisc {
namespace {

using absl::string_view;

constexpr int kNobody = -1;

bool IsAtOrBelow(string_view path, string_view top) {
  return absl::StartsWith(path, top) && (path.size() == top.size() || path[top.size()] == '/');
}

// What is above `path`; empty above what is directly below the root, and for what is no path.
string_view Above(string_view path) {
  const size_t slash = path.rfind('/');
  return slash == string_view::npos ? "" : path.substr(0, slash);
}

}  // namespace

std::vector<ContainerCgroups::Place> ContainerCgroups::PlacesAt(int position) const {
  const Process& process = snapshot_.processes(position);
  std::vector<Place> places;
  if (!process.has_cgroups() ||
      process.cgroups() >= static_cast<uint32_t>(snapshot_.cgroups_size())) {
    return places;
  }
  const Cgroups& cgroups = snapshot_.cgroups(static_cast<int>(process.cgroups()));
  if (cgroups.has_unified()) places.emplace_back("", cgroups.unified());
  for (const Cgroups::V1& v1 : cgroups.v1()) places.emplace_back(v1.controllers(), v1.path());
  return places;
}

bool ContainerCgroups::IsIn(int position, const Place& place) const {
  return absl::c_any_of(PlacesAt(position), [&](const Place& own) {
    return own.first == place.first && IsAtOrBelow(own.second, place.second);
  });
}

bool ContainerCgroups::IsOwn(const Place& place, int init, absl::Span<const int> engines) const {
  const string_view path = place.second;
  if (path.size() < 2 || path[0] != '/' || absl::StartsWith(path, "/..")) return false;
  for (int at = order_.ParentOf(init); at != ProcessOrder::kNone; at = order_.ParentOf(at)) {
    if (IsIn(at, place)) return false;
  }
  return absl::c_none_of(
      engines, [&](int engine) { return IsIn(engine, place) && !order_.Descends(engine, init); });
}

void ContainerCgroups::Find(absl::Span<const Container> containers, absl::Span<const int> engines) {
  owners_.clear();
  around_.clear();
  for (const Container& container : containers) {
    for (const Place& place : PlacesAt(container.init)) {
      if (!IsOwn(place, container.init, engines)) continue;
      const auto [owner, is_first] = owners_.try_emplace(place, container);
      if (!is_first) owner->second.number = kNobody;
    }
  }
  for (const Container& container : containers) DropShared(container);
}

// Of the cgroups above the container's those are shared whose owner it does not descend from.
void ContainerCgroups::DropShared(const Container& container) {
  for (const Place& place : PlacesAt(container.init)) {
    for (string_view path = place.second; path.size() > 1; path = Above(path)) {
      const auto owner = owners_.find(Place(place.first, path));
      if (owner == owners_.end() || owner->second.number == kNobody) continue;
      if (!order_.Descends(container.init, owner->second.init)) owner->second.number = kNobody;
    }
  }
}

const std::vector<int>& ContainerCgroups::Around(int position) {
  static const std::vector<int>* const kNone = new std::vector<int>;
  const Process& process = snapshot_.processes(position);
  if (owners_.empty() || !process.has_cgroups()) return *kNone;
  const auto [around, is_new] = around_.try_emplace(process.cgroups());
  if (!is_new) return around->second;
  for (const Place& place : PlacesAt(position)) {
    for (string_view path = place.second; path.size() > 1; path = Above(path)) {
      const auto owner = owners_.find(Place(place.first, path));
      if (owner == owners_.end() || owner->second.number == kNobody) continue;
      if (!absl::c_linear_search(around->second, owner->second.number)) {
        around->second.push_back(owner->second.number);
      }
    }
  }
  return around->second;
}

}  // namespace nsctl::nsdisc
