#include "testing/recorded_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace nsctl::testing {
namespace {

using Kind = RecordedEntry::Kind;

absl::string_view TakeUntil(char separator, absl::string_view* text) {
  const size_t end = std::min(text->find(separator), text->size());
  const absl::string_view taken = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return taken;
}

absl::StatusOr<std::string> Unescape(absl::string_view text) {
  const bool printable = std::all_of(text.begin(), text.end(), absl::ascii_isprint);
  std::optional<std::string> bytes = base::DecodeText(text);
  if (!printable || !bytes.has_value()) return absl::InvalidArgumentError("bad escape");
  return *std::move(bytes);
}

absl::StatusOr<std::string> ParsePath(absl::string_view text) {
  NSCTL_ASSIGN_OR_RETURN(std::string path, Unescape(text));
  const std::vector<std::string> names = absl::StrSplit(path, '/');
  const bool bad = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.empty() || name == "." || name == ".." || absl::StrContains(name, '\0');
  });
  if (bad) return absl::InvalidArgumentError("bad path");
  return path;
}

absl::StatusOr<RecordedEntry> ParseEntry(char kind, absl::string_view rest) {
  RecordedEntry entry;
  entry.kind = kind == 'd' ? Kind::kDirectory : kind == 'f' ? Kind::kFile : Kind::kLink;
  absl::string_view path = rest;
  if (entry.kind == Kind::kLink) {
    path = TakeUntil(' ', &rest);
    if (rest.empty()) return absl::InvalidArgumentError("no target");
    NSCTL_ASSIGN_OR_RETURN(entry.content, Unescape(rest));
  }
  NSCTL_ASSIGN_OR_RETURN(entry.path, ParsePath(path));
  return entry;
}

// Adds the line of the number `number` to `tree`.
absl::Status ParseLine(absl::string_view line, size_t number, RecordedTree* tree) {
  if (line.empty() || line[0] == '#') return absl::OkStatus();
  if (line[0] == '|' || line[0] == ':') {
    if (tree->entries.empty() || tree->entries.back().kind != Kind::kFile) {
      return absl::InvalidArgumentError("content without a file");
    }
    NSCTL_ASSIGN_OR_RETURN(const std::string text, Unescape(line.substr(1)));
    absl::StrAppend(&tree->entries.back().content, text, line[0] == '|' ? "\n" : "");
    return absl::OkStatus();
  }
  const absl::string_view kind = TakeUntil(' ', &line);
  if (kind == "n") {
    tree->namespaces.push_back({number, std::string(line)});
    return absl::OkStatus();
  }
  if (kind != "d" && kind != "f" && kind != "l") return absl::InvalidArgumentError("unknown kind");
  NSCTL_ASSIGN_OR_RETURN(RecordedEntry entry, ParseEntry(kind[0], line));
  tree->entries.push_back(std::move(entry));
  return absl::OkStatus();
}

// Makes the directory `path` below `root` and those above it; `made` holds those that are there.
absl::Status MakeDirectories(base::FdRef root, absl::string_view path,
                             std::set<std::string>* made) {
  for (size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    std::string directory(path.substr(0, end));
    if (made->contains(directory)) continue;
    // What is there already could be a link that leads elsewhere.
    if (mkdirat(root.get(), directory.c_str(), 0755) != 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "mkdir", directory);
    }
    made->insert(std::move(directory));
  }
  return absl::OkStatus();
}

absl::Status Make(base::FdRef root, const RecordedEntry& entry, std::set<std::string>* made) {
  if (entry.kind == Kind::kDirectory) return MakeDirectories(root, entry.path, made);
  const size_t slash = entry.path.rfind('/');
  if (slash != std::string::npos) {
    NSCTL_RETURN_IF_ERROR(MakeDirectories(root, entry.path.substr(0, slash), made));
  }
  if (entry.kind == Kind::kFile) {
    NSCTL_ASSIGN_OR_RETURN(
        const base::OwnedFd file,
        base::OpenAt(root, entry.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444));
    return base::WriteAll(file, entry.content);
  }
  if (symlinkat(entry.content.c_str(), root.get(), entry.path.c_str()) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "symlink", entry.path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecordedTree> ParseRecordedTree(absl::string_view text) {
  RecordedTree tree;
  for (size_t number = 1; !text.empty(); ++number) {
    NSCTL_RETURN_IF_ERROR(base::Annotate(ParseLine(TakeUntil('\n', &text), number, &tree),
                                         absl::StrCat("recorded tree: line ", number)));
  }
  return tree;
}

absl::Status UnpackRecordedTree(absl::string_view text, const std::string& directory) {
  NSCTL_ASSIGN_OR_RETURN(const RecordedTree tree, ParseRecordedTree(text));
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    const int error = errno;
    return base::ErrnoStatus(error, "mkdir", directory);
  }
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd root,
                         base::OpenAt(base::FdRef(AT_FDCWD), directory, O_RDONLY | O_DIRECTORY));
  std::set<std::string> made;
  for (const RecordedEntry& entry : tree.entries) {
    NSCTL_RETURN_IF_ERROR(Make(root, entry, &made));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::testing
