#include "engines/runtime_folders.h"

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/path_owner.h"
#include "engines/runtime_state.h"
#include "procfsroot/handle.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

using procfsroot::DirectoryEntry;

constexpr size_t kMaxEntries = 10'000;
constexpr size_t kMaxUsers = 1000;

struct Folder {
  const char* path;
  // Below it are folders of containerd's namespaces, and in those the containers'.
  bool has_namespaces;
  bool is_crun;
};
constexpr Folder kFolders[] = {
    {"/run/runc", false, false},
    {"/run/crun", false, true},
    {"/run/containerd/runc", true, false},
    {"/run/docker/runtime-runc", true, false},
};
// A folder for each user, by his number, who may run containers too.
constexpr char kUsers[] = "/run/user";

std::string ErrorName(const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  return error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(status.code());
}

}  // namespace

std::vector<DirectoryEntry> RuntimeFolders::List(const std::string& folder,
                                                 std::vector<EngineGap>* gaps) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = root_.ReadDir(folder, kMaxEntries);
  if (entries.ok()) return *std::move(entries);
  if (!base::IsGone(entries.status())) {
    EngineGap& gap = gaps->emplace_back();
    gap.set_subject(base::EncodeText(folder));
    gap.set_operation("read states of containers");
    gap.set_error(ErrorName(entries.status()));
    gap.set_consequence("containers that no engine tells of may be missing");
  }
  return {};
}

// Of a folder of `user`; nullopt for those of the host, where others may have some too.
void RuntimeFolders::ReadFolder(const std::string& folder, const std::string& native_namespace,
                                bool is_crun, std::optional<uid_t> user,
                                std::vector<EngineGap>* gaps) {
  PathOwners owners(root_);
  for (const DirectoryEntry& entry : List(folder, gaps)) {
    const std::string path = absl::StrCat(folder, "/", entry.name);
    Remembered& remembered = remembered_[path];
    remembered.seen = true;
    // A container that is made anew gets a new folder.
    if (remembered.state.has_value() && remembered.inode == entry.inode) continue;
    remembered.inode = entry.inode;
    remembered.state.reset();
    const std::string file = absl::StrCat(path, is_crun ? "/status" : "/state.json");
    // Who owns the folders decides, whatever he puts there meanwhile.
    const absl::StatusOr<uid_t> owner = owners.OwnerOf(file);
    if (!owner.ok() || (user.has_value() && *owner != 0 && *owner != *user)) continue;
    const absl::StatusOr<std::string> text =
        root_.ReadFile(file, kMaxRuntimeState, {.follow_last = false});
    // It may be written in a moment.
    if (!text.ok()) continue;
    absl::StatusOr<RuntimeState> state = ParseRuntimeState(*text);
    if (!state.ok()) continue;
    if (state->id.empty()) state->id = base::EncodeText(entry.name);
    remembered.state = {.state = *std::move(state),
                        .runtime = is_crun ? "crun" : "runc",
                        .native_namespace = base::EncodeText(native_namespace),
                        .owner = user.value_or(*owner)};
  }
}

std::vector<FoundState> RuntimeFolders::Read(std::vector<EngineGap>* gaps) {
  for (auto& [path, remembered] : remembered_) remembered.seen = false;
  for (const Folder& folder : kFolders) {
    if (!folder.has_namespaces) {
      ReadFolder(folder.path, "", folder.is_crun, std::nullopt, gaps);
      continue;
    }
    for (const DirectoryEntry& entry : List(folder.path, gaps)) {
      ReadFolder(absl::StrCat(folder.path, "/", entry.name), entry.name, folder.is_crun,
                 std::nullopt, gaps);
    }
  }
  std::vector<DirectoryEntry> users = List(kUsers, gaps);
  users.resize(std::min(users.size(), kMaxUsers));
  for (const DirectoryEntry& user : users) {
    uid_t uid = 0;
    if (!absl::SimpleAtoi(user.name, &uid)) continue;
    ReadFolder(absl::StrCat(kUsers, "/", user.name, "/runc"), "", false, uid, gaps);
    ReadFolder(absl::StrCat(kUsers, "/", user.name, "/crun"), "", true, uid, gaps);
  }
  std::vector<FoundState> states;
  std::erase_if(remembered_, [](const auto& remembered) { return !remembered.second.seen; });
  for (const auto& [path, remembered] : remembered_) {
    if (remembered.state.has_value()) states.push_back(*remembered.state);
  }
  return states;
}

}  // namespace nsctl::engines
