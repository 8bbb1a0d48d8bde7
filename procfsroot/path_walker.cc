#include "procfsroot/path_walker.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "procfsroot/path_node.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {
namespace {

using base::FdRef;
using base::OwnedFd;

// MAXSYMLINKS of include/linux/namei.h.
constexpr int kMaxLinks = 40;
// A path may be 2,048 directories deep, more than a process may have open: of those between the
// root and the last so many only the identity is kept.
constexpr size_t kMaxOpenDirectories = 64;

constexpr int kHandleFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// One walk. Its functions return errors that name the component of the caller's path.
class Walk {
 public:
  Walk(FdRef root, absl::string_view path, const ResolveOptions& options)
      : root_(root), path_(path), options_(options), left_(path), left_of_path_(path.size()) {}

  absl::StatusOr<OwnedFd> Run();

 private:
  absl::Status Fail(int error, ResolveReason reason = ResolveReason::kNone) const;
  absl::Status EnterRoot();
  absl::StatusOr<OwnedFd> Finish(PathNode node);
  absl::Status OpenComponent(const std::string& name, PathNode* node) const;
  absl::Status Enter(PathNode* node) const;
  absl::Status Descend(PathNode node);
  absl::Status Ascend();
  absl::Status FollowLink(PathNode link, bool is_last);
  void NoteReader(dev_t procfs);
  OwnedFd Leap() const;
  absl::Status CheckSearchable() const;
  absl::Status CheckBelowRoot() const;
  int directory() const { return stack_.size() == 1 ? root_.get() : stack_.back().fd.get(); }

  const FdRef root_;
  const absl::string_view path_;
  const ResolveOptions& options_;
  // What is still to be walked: the end of path_ behind what a link brought in.
  std::string left_;
  size_t at_ = 0;
  // How much of left_ is path_'s own; where more is left the walk is inside a link.
  size_t left_of_path_;
  // The component of path_ that is being walked, and that of left_.
  std::string component_;
  std::string name_;
  // The links whose texts name_ is in, the last one's text itself, and how much of left_ is behind
  // each.
  struct Link {
    size_t behind;
    std::string text;
  };
  std::vector<Link> inside_;
  // The directories from the root, whose node has no descriptor, to the current one.
  std::vector<PathNode> stack_;
  int links_ = 0;
  bool went_up_ = false;
  // The procfs in whose directory of this process the walk was, and the component that led there.
  struct Reader {
    dev_t procfs;
    std::string component;
  };
  std::optional<Reader> reader_;
  // A link was followed since the last leap.
  bool may_leap_ = false;
};

// Of a link that leads nowhere the component of the path is there: what is missing is in its text.
absl::Status Walk::Fail(int error, ResolveReason reason) const {
  absl::Status status = ResolveError(error, root_, path_, component_, reason);
  const bool is_told = reason != ResolveReason::kNone || error == ELOOP || error == EREMOTE;
  if (inside_.empty() || is_told) return status;
  const auto shown = [](absl::string_view text) {
    return absl::StrCat("\"", base::TerminalText(base::EncodeText(text.substr(0, 256))), "\"");
  };
  std::string message = absl::StrCat(status.message(), ", a link to ", shown(inside_[0].text));
  if (inside_.size() > 1) absl::StrAppend(&message, " and on to ", shown(inside_.back().text));
  absl::StrAppend(&message, error == ENOENT ? ", of which " : ", at ", shown(name_),
                  error == ENOENT ? " is missing" : " of it");
  absl::Status result(status.code(), message);
  status.ForEachPayload([&result](absl::string_view type_url, const absl::Cord& payload) {
    result.SetPayload(type_url, payload);
  });
  return result;
}

absl::StatusOr<OwnedFd> Walk::Run() {
  if (path_.empty()) return Fail(ENOENT);
  if (path_.size() >= PATH_MAX) return Fail(ENAMETOOLONG);
  NSCTL_RETURN_IF_ERROR(EnterRoot());
  while (true) {
    at_ = left_.find_first_not_of('/', at_);
    if (at_ == std::string::npos) return Finish(PathNode());
    const size_t end = std::min(left_.find('/', at_), left_.size());
    if (may_leap_ && left_.compare(at_, end - at_, "..") != 0) {
      may_leap_ = false;
      PathNode there;
      there.fd = Leap();
      if (there.fd.ok()) return Finish(std::move(there));
    }
    const std::string name = left_.substr(at_, end - at_);
    while (!inside_.empty() && left_.size() - at_ <= inside_.back().behind) inside_.pop_back();
    name_ = name;
    const bool slash_follows = end < left_.size();
    const bool is_last = left_.find_first_not_of('/', end) == std::string::npos;
    if (left_.size() - at_ <= left_of_path_) {
      component_ = name;
      left_of_path_ = left_.size() - end;
    }
    at_ = end;
    if (name == "." || name == "..") {
      NSCTL_RETURN_IF_ERROR(CheckSearchable());
      if (name == "..") NSCTL_RETURN_IF_ERROR(Ascend());
      continue;
    }
    PathNode node;
    NSCTL_RETURN_IF_ERROR(OpenComponent(name, &node));
    const bool must_lead_on = !is_last || slash_follows;
    // What tells nothing lets nobody in either.
    if (must_lead_on && node.mode == 0) return Fail(EACCES);
    if (S_ISLNK(node.mode) && (must_lead_on || options_.follow_last)) {
      NSCTL_RETURN_IF_ERROR(FollowLink(std::move(node), is_last));
      continue;
    }
    if (must_lead_on && !S_ISDIR(node.mode)) return Fail(ENOTDIR);
    if (IsProcfsRoot(stack_.back()) && S_ISDIR(node.mode) &&
        IsOwnProcess(FdRef(directory()), name)) {
      NoteReader(node.identity.device);
    }
    if (is_last) return Finish(std::move(node));
    NSCTL_RETURN_IF_ERROR(Descend(std::move(node)));
  }
}

absl::Status Walk::EnterRoot() {
  PathNode root;
  root.fd = OwnedFd(root_.get());
  const int error = IdentifyFile(&root);
  absl::Status entered = error != 0 ? Fail(error) : Enter(&root);
  // Borrowed.
  root.fd.Release();
  NSCTL_RETURN_IF_ERROR(entered);
  if (!S_ISDIR(root.mode)) return Fail(ENOTDIR);
  stack_.push_back(std::move(root));
  return absl::OkStatus();
}

// `node` is in the current directory; one without a descriptor stands for that directory itself.
absl::StatusOr<OwnedFd> Walk::Finish(PathNode node) {
  if (went_up_) NSCTL_RETURN_IF_ERROR(CheckBelowRoot());
  if (!node.fd.ok()) {
    node.identity = stack_.back().identity;
    if (stack_.size() > 1) node.fd = std::move(stack_.back().fd);
  }
  // What is elsewhere is the same for every reader, whatever the way there.
  if (reader_.has_value() && node.identity.device == reader_->procfs) {
    component_ = reader_->component;
    return Fail(ELOOP, ResolveReason::kReader);
  }
  const int fd = node.fd.ok() ? node.fd.Release() : fcntl(root_.get(), F_DUPFD_CLOEXEC, 0);
  const int error = errno;
  if (fd < 0) return Fail(error);
  return OwnedFd(fd, DescribeInRoot(root_, path_));
}

absl::Status Walk::OpenComponent(const std::string& name, PathNode* node) const {
  const PathNode& parent = stack_.back();
  long fd;
  if (parent.filesystem == AUTOFS_SUPER_MAGIC) {
    // A lookup here may ask the automounter. The kernel's caches know what is mounted already, and
    // an answer from them alone asks nobody (openat2(2), Linux 5.12).
    struct open_how how = {};
    how.flags = kHandleFlags;
    how.resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS;
    fd = syscall(SYS_openat2, directory(), name.c_str(), &how, sizeof(how));
    const int error = errno;
    if (fd < 0) return Fail(error == ENOENT ? ENOENT : EREMOTE);
  } else {
    fd = openat(directory(), name.c_str(), kHandleFlags);
    const int error = errno;
    if (fd < 0) return Fail(error);
  }
  node->fd = OwnedFd(static_cast<int>(fd));
  const int error = IdentifyFile(node);
  // Some file systems tell others than their owner nothing; O_PATH is open to all.
  if (error != 0 && error != EACCES) return Fail(error);
  node->filesystem = parent.filesystem;
  node->follows_symlinks = parent.follows_symlinks;
  if (options_.same_mount && !node->IsOnMountOf(stack_.front())) {
    const bool is_in_link = name != component_;
    return Fail(EXDEV, is_in_link ? ResolveReason::kLinkToMount : ResolveReason::kMountPoint);
  }
  return absl::OkStatus();
}

// To be called before anything is looked up in `node` or it is followed.
absl::Status Walk::Enter(PathNode* node) const {
  if (!stack_.empty() && node->IsOnMountOf(stack_.back())) return absl::OkStatus();
  if (options_.gate != nullptr) {
    const absl::Status admitted = (*options_.gate)(node->identity.device);
    if (!admitted.ok()) {
      return base::Annotate(admitted, absl::StrCat("resolve ", DescribeInRoot(root_, path_)));
    }
  }
  IdentifyMount(node);
  return absl::OkStatus();
}

absl::Status Walk::Descend(PathNode node) {
  NSCTL_RETURN_IF_ERROR(Enter(&node));
  stack_.push_back(std::move(node));
  if (stack_.size() > kMaxOpenDirectories + 1) {
    stack_[stack_.size() - 1 - kMaxOpenDirectories].fd = OwnedFd();
  }
  return absl::OkStatus();
}

absl::Status Walk::Ascend() {
  went_up_ = true;
  if (stack_.size() == 1) return absl::OkStatus();
  const PathNode left = std::move(stack_.back());
  stack_.pop_back();
  PathNode& parent = stack_.back();
  if (stack_.size() == 1 || parent.fd.ok()) return absl::OkStatus();
  PathNode again;
  again.fd = OwnedFd(openat(left.fd.get(), "..", kHandleFlags));
  const int error = errno;
  if (!again.fd.ok()) return Fail(error);
  // Moved meanwhile where it is another one.
  if (IdentifyFile(&again) != 0 || again.identity != parent.identity) return Fail(EAGAIN);
  parent.fd = std::move(again.fd);
  return absl::OkStatus();
}

absl::Status Walk::FollowLink(PathNode link, bool is_last) {
  if (links_++ >= kMaxLinks) return Fail(ELOOP);
  NSCTL_RETURN_IF_ERROR(Enter(&link));
  if (!link.follows_symlinks) return Fail(ELOOP, ResolveReason::kMountForbidsLinks);
  if (is_last && !MayFollowLast(link, stack_.back())) return Fail(EACCES);
  char text[PATH_MAX];
  const ssize_t size = readlinkat(link.fd.get(), "", text, sizeof(text));
  const int error = errno;
  if (size < 0) return Fail(error);
  if (size == sizeof(text)) return Fail(ENAMETOOLONG);
  const absl::string_view target(text, static_cast<size_t>(size));
  if (IsMagicLink(link, stack_.back(), target)) return Fail(ELOOP, ResolveReason::kMagicLink);
  if (IsReaderLink(link, stack_.back())) NoteReader(link.identity.device);
  if (!target.empty() && target.front() == '/') stack_.resize(1);
  inside_.push_back({left_.size() - at_, std::string(target)});
  left_ = absl::StrCat(target, absl::string_view(left_).substr(at_));
  at_ = 0;
  may_leap_ = options_.backend == Backend::kAuto && !reader_.has_value();
  return absl::OkStatus();
}

void Walk::NoteReader(dev_t procfs) {
  if (options_.may_be_reader || reader_.has_value()) return;
  reader_ = {.procfs = procfs, .component = component_};
}

// All that is left in one step, where it goes down, holds no further link and is in the kernel's
// caches: on overlayfs these answer for everything but links. Nothing where it is otherwise.
OwnedFd Walk::Leap() const {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | (options_.follow_last ? 0 : O_NOFOLLOW);
  how.resolve = RESOLVE_CACHED | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                (options_.same_mount ? RESOLVE_NO_XDEV : 0);
  OwnedFd handle(
      static_cast<int>(syscall(SYS_openat2, directory(), left_.c_str() + at_, &how, sizeof(how))));
  // On a procfs it counts what the way was.
  if (handle.ok() && !options_.may_be_reader && MayBeOnProcfs(handle)) return OwnedFd();
  return handle;
}

// "." and ".." need the search permission that the kernel wants of every lookup.
absl::Status Walk::CheckSearchable() const {
  const OwnedFd here(openat(directory(), ".", kHandleFlags));
  const int error = errno;
  return here.ok() ? absl::OkStatus() : Fail(error);
}

// The current directory still is below the root. A walk that only went down is where openat2 would
// be too, whatever was moved.
absl::Status Walk::CheckBelowRoot() const {
  FileIdentity below = stack_.back().identity;
  OwnedFd held;
  int fd = directory();
  while (below != stack_.front().identity) {
    PathNode parent;
    parent.fd = OwnedFd(openat(fd, "..", kHandleFlags));
    const int error = errno;
    if (!parent.fd.ok()) return Fail(error == ENOENT ? EAGAIN : error);
    if (const int unknown = IdentifyFile(&parent); unknown != 0) return Fail(unknown);
    // Only the topmost directory is its own parent.
    if (parent.identity == below) return Fail(EAGAIN);
    below = parent.identity;
    held = std::move(parent.fd);
    fd = held.get();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OwnedFd> WalkPath(FdRef root, absl::string_view path,
                                 const ResolveOptions& options) {
  absl::Time deadline = absl::InfiniteFuture();
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<OwnedFd> result = Walk(root, path, options).Run();
    if (result.ok() || base::ErrnoOf(result.status()) != EAGAIN) return result;
    const absl::Time now = absl::Now();
    if (attempt == 1) deadline = now + options.patience;
    if (attempt >= options.max_attempts || now >= deadline) return result;
  }
}

}  // namespace nsctl::procfsroot
