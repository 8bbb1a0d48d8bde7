#include "procfsroot/lexical_resolve.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace nsctl::procfsroot {
namespace {

// As filepath.EvalSymlinks of Go's library, on which procfsroot is modelled.
constexpr int kMaxLinks = 255;
// Links may add to a path again and again; what is longer no call would take.
constexpr size_t kMaxLeft = size_t{1} << 20;

absl::StatusOr<std::string> ReadLink(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), text, sizeof(text));
  const int error = errno;
  if (size < 0) return base::ErrnoStatus(error, "readlink", path);
  if (size == 0) return base::ErrnoStatus(ENOENT, "readlink", path);
  return std::string(text, static_cast<size_t>(size));
}

class Evaluation {
 public:
  Evaluation(absl::string_view path, const std::string& root, const LexicalOptions& options)
      : root_(absl::StripSuffix(root, "/")), options_(options), left_(path) {}

  absl::StatusOr<std::string> Run() {
    while (true) {
      const size_t begin = left_.find_first_not_of('/');
      if (begin == std::string::npos) break;
      const size_t end = std::min(left_.find('/', begin), left_.size());
      const std::string name = left_.substr(begin, end - begin);
      left_.erase(0, end);
      if (name == ".") continue;
      NSCTL_RETURN_IF_ERROR(name == ".." ? Ascend() : Descend(name));
    }
    return resolved_.empty() ? "/" : resolved_;
  }

 private:
  absl::Status Ascend() {
    if (!resolved_.empty()) {
      resolved_.erase(resolved_.rfind('/'));
      return absl::OkStatus();
    }
    if (options_.dot_dot == LexicalOptions::DotDot::kClamp) return absl::OkStatus();
    return base::Annotate(base::ErrnoStatus(EXDEV, "evaluate", ".."), "no parent directory");
  }

  absl::Status Descend(const std::string& name) {
    const std::string parent = resolved_;
    absl::StrAppend(&resolved_, "/", name);
    if (left_.empty() && !options_.follow_last) return absl::OkStatus();
    const std::string full = absl::StrCat(root_, resolved_);
    struct stat status;
    if (lstat(full.c_str(), &status) != 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "lstat", full);
    }
    if (S_ISLNK(status.st_mode)) return Follow(full, parent);
    if (!S_ISDIR(status.st_mode) && !left_.empty()) {
      return base::ErrnoStatus(ENOTDIR, "evaluate", full);
    }
    return absl::OkStatus();
  }

  absl::Status Follow(const std::string& link, const std::string& parent) {
    if (++links_ > kMaxLinks) {
      return base::Annotate(base::ErrnoStatus(ELOOP, "evaluate", link), "too many symlinks");
    }
    NSCTL_ASSIGN_OR_RETURN(const std::string target, ReadLink(link));
    if (target.size() + left_.size() > kMaxLeft) {
      return base::ErrnoStatus(ENAMETOOLONG, "evaluate", link);
    }
    resolved_ = target.front() == '/' ? "" : parent;
    left_.insert(0, target);
    return absl::OkStatus();
  }

  const std::string root_;
  const LexicalOptions options_;
  // "" for the root, else with a leading slash.
  std::string resolved_;
  // What is still to be evaluated.
  std::string left_;
  int links_ = 0;
};

}  // namespace

absl::StatusOr<std::string> LexicalResolve(absl::string_view path, const std::string& root,
                                           const LexicalOptions& options) {
  return Evaluation(path, root, options).Run();
}

}  // namespace nsctl::procfsroot
