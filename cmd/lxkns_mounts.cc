#include "cmd/lxkns_mounts.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "mounttree/mount.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using mounttree::Mount;
using mounttree::MountNamespace;

std::string Bytes(const std::string& stored) { return base::DecodeText(stored).value_or(stored); }

class MountsWriter {
 public:
  explicit MountsWriter(JsonWriter* json) : json_(*json) {}

  void WriteNamespace(const std::map<std::string, std::vector<const Mount*>>& paths) {
    json_.BeginObject();
    for (const auto& [path, mounts] : paths) {
      json_.Key(path);
      json_.BeginObject();
      json_.Key("mounts");
      json_.BeginArray();
      for (const Mount* mount : mounts) WriteMount(path, *mount);
      json_.EndArray();
      Number("pathid", mounts.front()->path_id());
      Number("parentid", mounts.front()->parent_path_id());
      json_.EndObject();
    }
    json_.EndObject();
  }

 private:
  void Number(absl::string_view key, int64_t value) {
    json_.Key(key);
    json_.Number(value);
  }

  void Text(absl::string_view key, const std::string& bytes) {
    json_.Key(key);
    json_.String(bytes);
  }

  void WriteMount(const std::string& path, const Mount& mount) {
    json_.BeginObject();
    Number("mountid", mount.mount_id());
    Number("parentid", mount.parent_id());
    Number("major", mount.device_major());
    Number("minor", mount.device_minor());
    Text("root", absl::StrCat(Bytes(mount.root()), mount.deleted() ? "//deleted" : ""));
    Text("mountpoint", path);
    json_.Key("mountoptions");
    json_.BeginArray();
    for (const absl::string_view option :
         absl::StrSplit(mount.mount_options(), ',', absl::SkipEmpty())) {
      json_.String(Bytes(std::string(option)));
    }
    json_.EndArray();
    WriteTags(mount);
    Text("fstype", Bytes(mount.fs_type()));
    Text("source", Bytes(mount.source()));
    Text("superoptions", Bytes(mount.super_options()));
    json_.Key("hidden");
    json_.Bool(mount.visibility() != Mount::visible && mount.visibility() != Mount::unknown);
    json_.EndObject();
  }

  void WriteTags(const Mount& mount) {
    std::map<std::string, std::string> tags;
    if (mount.has_peer_group()) tags["shared"] = absl::StrCat(mount.peer_group());
    if (mount.has_master()) tags["master"] = absl::StrCat(mount.master());
    if (mount.has_propagate_from()) tags["propagate_from"] = absl::StrCat(mount.propagate_from());
    if (mount.unbindable()) tags["unbindable"] = "";
    for (const std::string& tag : mount.other_tags()) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(tag, absl::MaxSplits(':', 1));
      tags[Bytes(parts.first)] = Bytes(parts.second);
    }
    json_.Key("tags");
    json_.BeginObject();
    for (const auto& [tag, value] : tags) Text(tag, value);
    json_.EndObject();
  }

  JsonWriter& json_;
};

}  // namespace

void WriteLxknsMounts(const nsdisc::Snapshot& snapshot, JsonWriter* json) {
  const nsdisc::SnapshotIndex index(snapshot);
  json->BeginObject();
  for (const MountNamespace& ns : snapshot.mounts()) {
    if (index.FindNamespace(base::NamespaceType::kMnt, ns.inode()) == nullptr) continue;
    std::map<std::string, std::vector<const Mount*>> paths;
    for (const Mount& mount : ns.mounts()) {
      if (mount.has_mount_point()) paths[Bytes(mount.mount_point())].push_back(&mount);
    }
    if (!paths.contains("/")) continue;
    json->Key(absl::StrCat(ns.inode()));
    MountsWriter(json).WriteNamespace(paths);
  }
  json->EndObject();
}

}  // namespace nsctl::cmd
