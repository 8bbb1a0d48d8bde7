#include "cmd/fs_readlink_command.h"

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs.pb.h"
#include "cmd/fs_display.h"
#include "cmd/fs_operands.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {
namespace {

using procfsroot::Root;

constexpr CommandInfo kInfo = {
    .name = "readlink",
    .alias = nullptr,
    .summary = "what symlinks say, or lead to",
    .arguments = "TARGET:PATH...",
    .description =
        "Prints what symlinks of a target say; with -f, -e or -m the path in the target\n"
        "that an argument leads to, all links followed. The result is text for people\n"
        "and nsctl's own arguments: another program that opens it may be led astray.",
    .examples =
        "nsctl fs readlink 1234:/etc/localtime\n"
        "nsctl fs readlink -f 1234:/var/run/docker.sock",
};

absl::StatusOr<std::string> CanonicalPath(const Root& root, const std::string& path) {
  NSCTL_ASSIGN_OR_RETURN(FsPlace place, FindFsPlace(root, path));
  return std::move(place.path);
}

// Where `path` leads to if its last component, or what that links to, need not exist.
absl::StatusOr<std::string> PathOfMissing(const Root& root, std::string path) {
  constexpr int kMaxLinks = 40;
  for (int links = 0; links <= kMaxLinks; ++links) {
    absl::StatusOr<std::string> found = CanonicalPath(root, path);
    if (found.ok() || base::ErrnoOf(found.status()) != ENOENT) return found;
    const absl::StatusOr<Root::Parent> parent = root.OpenParent(path);
    // It ends in "..": what is missing is before that.
    if (base::ErrnoOf(parent.status()) == EINVAL) return found;
    NSCTL_RETURN_IF_ERROR(parent.status());
    absl::StatusOr<std::string> shown = CheckedFsPath(root, parent->directory);
    // It is looked for anew.
    if (base::ErrnoOf(shown.status()) == ESTALE && links < kMaxLinks) continue;
    NSCTL_ASSIGN_OR_RETURN(std::string directory, std::move(shown));
    if (!absl::EndsWith(directory, "/")) directory += "/";
    path = absl::StrCat(directory, parent->name);
    const absl::StatusOr<std::string> text = root.ReadLink(path);
    if (!text.ok()) return path;
    path = absl::StartsWith(*text, "/") ? *text : absl::StrCat(directory, *text);
  }
  return base::ErrnoStatus(ELOOP, "resolve", path);
}

// Where a path leads to whatever of it is missing: what is not there, or no directory, is gone
// through as if it were one.
class MissingPath {
 public:
  explicit MissingPath(const Root& root) : root_(root) {}

  absl::StatusOr<std::string> Find(const std::string& path) {
    Push(path);
    while (!pending_.empty()) {
      const std::string name = std::move(pending_.back());
      pending_.pop_back();
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        if (!reached_.empty()) reached_.pop_back();
        continue;
      }
      reached_.push_back(name);
      NSCTL_RETURN_IF_ERROR(FollowLink());
    }
    return Reached();
  }

 private:
  std::string Reached() const { return absl::StrCat("/", absl::StrJoin(reached_, "/")); }

  // The components of `path` come next.
  void Push(absl::string_view path) {
    const std::vector<std::string> names = absl::StrSplit(path, '/');
    pending_.insert(pending_.end(), names.rbegin(), names.rend());
  }

  // If what was reached is a link, goes where it leads.
  absl::Status FollowLink() {
    constexpr int kMaxLinks = 40;
    const std::string path = Reached();
    const absl::StatusOr<std::string> text = root_.ReadLink(path);
    const int error = base::ErrnoOf(text.status());
    if (error == EINVAL || error == ENOENT || error == ENOTDIR) return absl::OkStatus();
    NSCTL_RETURN_IF_ERROR(text.status());
    // A loop, or a magic link, whose text is no path.
    absl::Status followed = root_.Resolve(path).status();
    if (base::ErrnoOf(followed) == ELOOP) return followed;
    if (++links_ > kMaxLinks) return base::ErrnoStatus(ELOOP, "resolve", path);
    reached_.pop_back();
    if (absl::StartsWith(*text, "/")) reached_.clear();
    Push(*text);
    return absl::OkStatus();
  }

  const Root& root_;
  std::vector<std::string> reached_;
  // The next one last.
  std::vector<std::string> pending_;
  int links_ = 0;
};

absl::StatusOr<std::string> PathOfAny(const Root& root, const std::string& path) {
  absl::StatusOr<std::string> found = CanonicalPath(root, path);
  const int error = base::ErrnoOf(found.status());
  if (error != ENOENT && error != ENOTDIR) return found;
  return MissingPath(root).Find(path);
}

class FsReadlinkCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "the links");
    const auto flag = [app](const char* names, bool& value, const char* help) {
      app->add_flag(names, value, help)->group("What to look at");
    };
    flag("-f,--canonicalize", canonical_, "follow all links; the last component may be missing");
    flag("-e,--canonicalize-existing", existing_, "follow all links; everything must exist");
    flag("-m,--canonicalize-missing", missing_, "follow all links; anything may be missing");
    output_.AddTo(app);
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    return output_.ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_RETURN_IF_ERROR(operands_.Parse());
    FsFailures failures(env);
    FsLinks result;
    operands_.ForEach(env, &failures, [&](const FsOperand& operand) -> absl::Status {
      NSCTL_ASSIGN_OR_RETURN(const std::string target, Read(operand));
      FsLink* link = result.add_links();
      link->set_path(operand.Name());
      link->set_target(base::EncodeText(target));
      return absl::OkStatus();
    });
    if (format == Format::kTable) {
      for (const FsLink& link : result.links()) {
        env.out->Append(absl::StrCat(base::TerminalText(link.target()), "\n"));
      }
    } else {
      const auto for_each = [&](RecordSink sink) {
        for (const FsLink& link : result.links()) sink(link);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(result, for_each, format, env.out));
    }
    return failures.status();
  }

 private:
  absl::StatusOr<std::string> Read(const FsOperand& operand) const {
    if (existing_) return CanonicalPath(*operand.root, operand.path);
    if (missing_) return PathOfAny(*operand.root, operand.path);
    if (canonical_) return PathOfMissing(*operand.root, operand.path);
    absl::StatusOr<std::string> text = operand.root->ReadLink(operand.path);
    if (base::ErrnoOf(text.status()) != EINVAL) return text;
    return absl::FailedPreconditionError(
        absl::StrCat("readlink ", base::TerminalText(operand.Name()), ": is no symbolic link"));
  }

  FsOperands operands_;
  OutputOptions output_{"table"};
  bool canonical_ = false, existing_ = false, missing_ = false;
};

}  // namespace

const CommandEntry kFsReadlinkCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsReadlinkCommand>(); }};

}  // namespace nsctl::cmd
