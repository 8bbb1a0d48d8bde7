#include "cmd/lxkns_containers.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/decorators.h"

namespace nsctl::cmd {
namespace {

using engines::ContainerGroup;
using engines::DecoratedContainer;
using engines::DecoratedEngine;
using engines::Decorations;

class ContainersWriter {
 public:
  ContainersWriter(const Decorations& decorations, JsonWriter* json)
      : decorations_(decorations), json_(*json) {
    // The key of a container is its PID; a forged snapshot may have one twice.
    for (size_t i = 0; i < decorations.containers.size(); ++i) {
      by_pid_.emplace(decorations.containers[i].container->pid(), static_cast<int>(i));
    }
  }

  void Write() {
    json_.Key("container-engines");
    json_.BeginObject();
    for (size_t i = 0; i < decorations_.engines.size(); ++i) {
      json_.Key(absl::StrCat(i + 1));
      WriteEngine(decorations_.engines[i], i + 1);
    }
    json_.EndObject();
    json_.Key("container-groups");
    json_.BeginObject();
    for (size_t i = 0; i < decorations_.groups.size(); ++i) {
      json_.Key(absl::StrCat(i + 1));
      WriteGroup(decorations_.groups[i]);
    }
    json_.EndObject();
    json_.Key("containers");
    json_.BeginObject();
    for (const auto& [pid, index] : by_pid_) {
      json_.Key(absl::StrCat(pid));
      WriteContainer(decorations_.containers[static_cast<size_t>(index)]);
    }
    json_.EndObject();
  }

 private:
  void Number(const char* key, int64_t number) {
    json_.Key(key);
    json_.Number(number);
  }

  void Text(absl::string_view key, absl::string_view stored) {
    json_.Key(key);
    json_.String(base::DecodeText(stored).value_or(std::string(stored)));
  }

  void Pids(const std::vector<int>& containers) {
    std::vector<int32_t> pids;
    for (const int index : containers) {
      const int32_t pid = decorations_.containers[static_cast<size_t>(index)].container->pid();
      if (by_pid_.at(pid) == index) pids.push_back(pid);
    }
    absl::c_sort(pids);
    json_.Key("containers");
    json_.BeginArray();
    for (const int32_t pid : pids) json_.Number(int64_t{pid});
    json_.EndArray();
  }

  void Labels(const std::map<std::string, std::string>& labels) {
    json_.Key("labels");
    json_.BeginObject();
    for (const auto& [name, value] : labels) Text(base::DecodeText(name).value_or(name), value);
    json_.EndObject();
  }

  void WriteEngine(const DecoratedEngine& decorated, size_t number) {
    const engines::Engine& engine = *decorated.engine;
    std::map<std::string, std::string> labels = {{"turtlefinder/engine/id", absl::StrCat(number)}};
    if (decorated.parent != engines::kNoEngine) {
      labels["turtlefinder/engine/parent-id"] = absl::StrCat(decorated.parent + 1);
    }
    json_.BeginObject();
    Pids(decorated.containers);
    Text("id", engine.id());
    Text("type", decorated.type);
    Text("version", engine.version());
    Text("api", engine.api().empty()
                    ? ""
                    : absl::StrCat("unix:///proc/", engine.pid(), "/root", engine.api()));
    Number("pid", engine.pid());
    Labels(labels);
    json_.EndObject();
  }

  void WriteGroup(const ContainerGroup& group) {
    json_.BeginObject();
    Pids(group.containers);
    Text("name", group.name);
    Text("type", group.type);
    Text("flavor", group.flavor);
    Labels({});
    json_.EndObject();
  }

  void WriteContainer(const DecoratedContainer& decorated) {
    json_.BeginObject();
    Number("engine", decorated.engine + 1);
    json_.Key("groups");
    json_.BeginArray();
    for (const int group : decorated.groups) json_.Number(int64_t{group} + 1);
    json_.EndArray();
    Text("id", decorated.id);
    Text("name", decorated.name);
    Text("type", decorated.type);
    Text("flavor", decorated.flavor);
    Number("pid", decorated.container->pid());
    json_.Key("paused");
    json_.Bool(decorated.container->state() == engines::Container::paused);
    Labels(decorated.labels);
    json_.EndObject();
  }

  const Decorations& decorations_;
  JsonWriter& json_;
  // By PID, the index of the container.
  std::map<int32_t, int> by_pid_;
};

}  // namespace

void WriteLxknsContainers(const nsdisc::Snapshot& snapshot, JsonWriter* json) {
  engines::Containers known;
  *known.mutable_engines() = snapshot.engines();
  *known.mutable_containers() = snapshot.containers();
  *known.mutable_pods() = snapshot.pods();
  const Decorations decorations = engines::Decorate(known);
  ContainersWriter(decorations, json).Write();
}

}  // namespace nsctl::cmd
