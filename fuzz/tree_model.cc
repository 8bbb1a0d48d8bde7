#include "fuzz/tree_model.h"

#include <errno.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace nsctl::fuzz {
namespace {

// MAXSYMLINKS of include/linux/namei.h.
constexpr int kMaxLinks = 40;

}  // namespace

TreeModel::TreeModel(const std::string& root) { Add(root, 0); }

size_t TreeModel::Add(const std::string& path, size_t parent) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) abort();
  const size_t index = nodes_.size();
  Node node{.file = absl::StrCat(status.st_dev, ":", status.st_ino), .parent = parent};
  if (S_ISDIR(status.st_mode)) node.kind = Kind::kDirectory;
  if (S_ISLNK(status.st_mode)) {
    node.kind = Kind::kLink;
    node.target = std::filesystem::read_symlink(path).string();
  }
  nodes_.push_back(node);
  if (node.kind != Kind::kDirectory) return index;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const size_t child = Add(entry.path().string(), index);
    nodes_[index].entries[entry.path().filename().string()] = child;
  }
  return index;
}

TreeModel::Answer TreeModel::Resolve(absl::string_view path, bool follow_last) const {
  if (path.empty()) return {.error = ENOENT};
  std::string rest(path);
  size_t at = 0;
  int links = 0;
  bool must_be_directory = false;
  while (true) {
    const size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) break;
    const size_t end = rest.find('/', begin);
    const std::string name = rest.substr(begin, end == std::string::npos ? end : end - begin);
    rest = end == std::string::npos ? "" : rest.substr(end);
    if (nodes_[at].kind != Kind::kDirectory) return {.error = ENOTDIR};
    const bool is_last = rest.find_first_not_of('/') == std::string::npos;
    if (name == ".") continue;
    if (name == "..") {
      at = nodes_[at].parent;
      continue;
    }
    // A slash behind the last name asks for a directory, and so for what a link leads to.
    if (is_last && !rest.empty()) must_be_directory = follow_last = true;
    const auto child = nodes_[at].entries.find(name);
    if (child == nodes_[at].entries.end()) return {.error = ENOENT};
    const Node& node = nodes_[child->second];
    if (node.kind == Kind::kLink && (!is_last || follow_last)) {
      if (++links > kMaxLinks) return {.error = ELOOP};
      if (absl::StartsWith(node.target, "/")) at = 0;
      rest = is_last ? node.target : node.target + rest;
    } else {
      at = child->second;
    }
  }
  if (must_be_directory && nodes_[at].kind != Kind::kDirectory) return {.error = ENOTDIR};
  return {.file = nodes_[at].file};
}

}  // namespace nsctl::fuzz
