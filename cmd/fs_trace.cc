#include "cmd/fs_trace.h"

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

using procfsroot::Root;
using Steps = google::protobuf::RepeatedPtrField<FsResolved::Step>;

constexpr int kMaxLinks = 40;

class Tracer {
 public:
  explicit Tracer(const Root& root) : root_(root) {}

  Steps Run(const std::string& path) {
    const absl::StatusOr<struct statx> top = root_.Stat("/");
    if (top.ok()) mounts_.push_back(top->stx_mnt_id);
    Push(path);
    while (!pending_.empty() && !mounts_.empty()) {
      const std::string name = std::move(pending_.back());
      pending_.pop_back();
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        GoUp();
      } else if (!GoDown(name)) {
        break;
      }
    }
    return std::move(steps_);
  }

 private:
  // The components of `path` come next.
  void Push(absl::string_view path) {
    const std::vector<std::string> names = absl::StrSplit(path, '/');
    pending_.insert(pending_.end(), names.rbegin(), names.rend());
  }

  void GoUp() {
    if (reached_.empty()) return;
    reached_.pop_back();
    mounts_.pop_back();
  }

  bool GoDown(const std::string& name) {
    const std::string path =
        absl::StrCat("/", absl::StrJoin(reached_, "/"), reached_.empty() ? "" : "/", name);
    const absl::StatusOr<struct statx> status = root_.Stat(path, {.follow_last = false});
    if (!status.ok()) return false;
    if (S_ISLNK(status->stx_mode)) return FollowLink(path);
    if (status->stx_mnt_id != mounts_.back()) AddMount(path, *status);
    reached_.push_back(name);
    mounts_.push_back(status->stx_mnt_id);
    return true;
  }

  bool FollowLink(const std::string& path) {
    const absl::StatusOr<std::string> text = root_.ReadLink(path);
    if (!text.ok() || ++links_ > kMaxLinks) return false;
    FsResolved::Step* step = steps_.Add();
    step->set_path(base::EncodeText(path));
    step->set_link_target(base::EncodeText(*text));
    if (absl::StartsWith(*text, "/")) {
      reached_.clear();
      mounts_.resize(1);
    }
    Push(*text);
    return true;
  }

  void AddMount(const std::string& path, const struct statx& status) {
    FsResolved::Step* step = steps_.Add();
    step->set_path(base::EncodeText(path));
    step->set_mount_id(status.stx_mnt_id);
    step->set_device(absl::StrCat(status.stx_dev_major, ":", status.stx_dev_minor));
  }

  const Root& root_;
  // Components below the root, and the mount that each is on, the root's before them.
  std::vector<std::string> reached_;
  std::vector<uint64_t> mounts_;
  // The next one last.
  std::vector<std::string> pending_;
  int links_ = 0;
  Steps steps_;
};

}  // namespace

Steps TracePath(const Root& root, const std::string& path) { return Tracer(root).Run(path); }

}  // namespace nsctl::cmd
