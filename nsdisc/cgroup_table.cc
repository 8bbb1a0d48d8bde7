#include "nsdisc/cgroup_table.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "procfsroot/process_files.h"

namespace nsctl::nsdisc {

uint32_t CgroupTable::Intern(absl::string_view text) {
  const absl::MutexLock lock(&mutex_);
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(numbers_.size());
  numbers_.emplace(text, number);
  return number;
}

std::vector<std::string> CgroupTable::Texts() const {
  const absl::MutexLock lock(&mutex_);
  std::vector<std::string> texts(numbers_.size());
  for (const auto& [text, number] : numbers_) texts[number] = text;
  return texts;
}

std::vector<CgroupTable::Parsed> CgroupTable::Finish(std::vector<uint32_t>* position) {
  std::vector<std::pair<std::string, uint32_t>> entries;
  {
    const absl::MutexLock lock(&mutex_);
    entries.assign(numbers_.begin(), numbers_.end());
    numbers_.clear();
  }
  std::sort(entries.begin(), entries.end());
  position->resize(entries.size());
  std::vector<Parsed> result;
  result.reserve(entries.size());
  for (auto& [text, number] : entries) {
    (*position)[number] = static_cast<uint32_t>(result.size());
    Parsed& parsed = result.emplace_back();
    parsed.well_formed = ParseCgroups(text, &parsed.cgroups);
    parsed.text = std::move(text);
  }
  return result;
}

bool ParseCgroups(absl::string_view text, Cgroups* cgroups) {
  return procfsroot::ParseCgroup(text,
                                 [&](const procfsroot::CgroupLine& line) {
                                   if (line.hierarchy == 0) {
                                     cgroups->set_unified(base::EncodeText(line.path));
                                     return;
                                   }
                                   Cgroups::V1* v1 = cgroups->add_v1();
                                   v1->set_controllers(base::EncodeText(line.controllers));
                                   v1->set_path(base::EncodeText(line.path));
                                 })
      .ok();
}

}  // namespace nsctl::nsdisc
