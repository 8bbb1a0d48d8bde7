// Labels from what arrives in any order, any number of times.

#ifndef NSCTL_ENGINES_SORTED_LABELS_H_
#define NSCTL_ENGINES_SORTED_LABELS_H_

#include <map>
#include <string>
#include <utility>

#include "base/text.h"
#include "engines/container.h"

namespace nsctl::engines {

// In the order of their names. Not with SetLabel, one after another: there may be a million.
Labels SortedLabels(std::map<std::string, std::string> labels);

// Of names that both have, the value of `other`.
Labels Union(const Labels& one, const Labels& other);

// Elements of a map<string, string>: messages with `key` and `value`, which are any bytes. The last
// of those with one key counts.
template <typename Entries>
Labels LabelsOf(const Entries& entries) {
  std::map<std::string, std::string> labels;
  for (const auto& entry : entries) {
    labels[base::EncodeText(entry.key())] = base::EncodeText(entry.value());
  }
  return SortedLabels(std::move(labels));
}

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_SORTED_LABELS_H_
