#include "engines/sorted_labels.h"

#include <map>
#include <string>
#include <utility>

#include "engines/container.h"

namespace nsctl::engines {

Labels SortedLabels(std::map<std::string, std::string> labels) {
  Labels sorted;
  sorted.Reserve(static_cast<int>(labels.size()));
  for (auto& [name, value] : labels) {
    Label* const label = sorted.Add();
    label->set_name(name);
    label->set_value(std::move(value));
  }
  return sorted;
}

Labels Union(const Labels& one, const Labels& other) {
  std::map<std::string, std::string> labels;
  for (const Labels* some : {&one, &other}) {
    for (const Label& label : *some) labels[label.name()] = label.value();
  }
  return SortedLabels(std::move(labels));
}

}  // namespace nsctl::engines
