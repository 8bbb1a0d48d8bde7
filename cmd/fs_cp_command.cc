#include "cmd/fs_cp_command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/byte_count.h"
#include "cmd/copy_destination.h"
#include "cmd/copy_progress.h"
#include "cmd/diagnostics.h"
#include "cmd/fs_copy.h"
#include "cmd/fs_file.h"
#include "cmd/fs_operands.h"
#include "cmd/gap_report.h"
#include "cmd/interrupt.h"
#include "cmd/target.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "cp",
    .alias = nullptr,
    .summary = "copy files out of a target",
    .arguments = "TARGET:PATH... DESTINATION",
    .description =
        "Copies files, symlinks and, with -r, directories of a target to DESTINATION: a\n"
        "directory, or the name of the copy. DESTINATION is a path of the caller's own;\n"
        "nothing is ever copied into a target. Symlinks are copied as links; holes stay\n"
        "holes. FIFOs, devices and sockets are left out and reported.\n"
        "\n"
        "A file gets its name when it is complete, in the place of a file or link that\n"
        "had it; no link at the destination is followed but DESTINATION itself where it\n"
        "leads to a directory. Copies belong to the caller and never get set-user-ID and\n"
        "set-group-ID bits, and modes are cut by the umask, unless options say otherwise.",
    .examples =
        "nsctl fs cp 1234:/var/log/app.log .\n"
        "nsctl fs cp -rp 1234:/etc ./etc-of-it\n"
        "nsctl fs cp -r --limit 1G mnt:[4026532401]:/srv/a 1234:/srv/b /tmp/both/",
};

constexpr char kWhat[] = "What to copy";
constexpr char kHow[] = "How to copy it";

mode_t CurrentUmask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

// Each directory that is entered takes two descriptors.
void RaiseDescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Where copies go to: into `directory`, under `name` (as FsCopier::Copy takes it) or, where that is
// empty, under names of their own.
struct Place {
  CopyDestination directory;
  std::string name;
};

// A link that was named would not be followed but lost, which nobody wants of /dev/stdout; a device
// or FIFO too.
absl::Status CheckMayBeReplaced(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "copy to ", QuotedArgument(path), ": is a ", FsTypeText(FsTypeOf(status.st_mode)),
      ", which a copy would take the place of; name a file or directory"));
}

// The place for copies of `sources` files at `path` (bytes).
absl::StatusOr<Place> FindPlace(const std::string& path, size_t sources) {
  absl::StatusOr<CopyDestination> directory = CopyDestination::Open(path);
  if (directory.ok()) return Place{*std::move(directory), ""};
  const int error = base::ErrnoOf(directory.status());
  // A magic link.
  if (error == 0) return directory.status();
  const std::string name(LastComponent(path));
  const bool may_be_made = error == ENOENT || (error == ENOTDIR && !absl::EndsWith(path, "/"));
  if (sources > 1 || !may_be_made || name == "/" || name == "." || name == "..") {
    return base::ErrnoStatus(error, "copy to", path);
  }
  NSCTL_RETURN_IF_ERROR(CheckMayBeReplaced(path));
  const std::string parent = path.substr(0, path.rfind(name));
  absl::StatusOr<CopyDestination> opened = CopyDestination::Open(parent.empty() ? "." : parent);
  if (!opened.ok() && base::ErrnoOf(opened.status()) == 0) return opened.status();
  if (!opened.ok()) return base::ErrnoStatus(base::ErrnoOf(opened.status()), "copy to", path);
  return Place{*std::move(opened), absl::EndsWith(path, "/") ? name + "/" : name};
}

absl::Status CheckDestination(const std::string& destination) {
  const absl::StatusOr<TargetPath> parsed = ParseTargetPath(destination);
  if (!parsed.ok() || std::holds_alternative<PathTarget>(parsed->target) ||
      !absl::StrContains(destination, ':')) {
    return absl::OkStatus();
  }
  return UsageError(absl::StrCat("nothing is copied into a target; a file of that name is ",
                                 QuotedArgument(absl::StrCat("./", destination))));
}

class FsCpCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "what to copy, and where to");
    const auto flag = [app](const char* names, bool& value, const char* help, const char* group) {
      app->add_flag(names, value, help)->group(group);
    };
    flag("-r,-R,--recursive", options_.recursive, "directories with all that is in them", kWhat);
    flag("-L,--dereference", options_.follow,
         "what an argument that is a symlink leads to in the target, not the link", kWhat);
    flag("-x,--one-file-system", options_.same_mount, "leave out what is mounted below", kWhat);
    app->add_option("--limit", limit_word_,
                    "fail for files of more than so many bytes; K, M and G may follow; default: "
                    "none")
        ->type_name("BYTES")
        ->take_last()
        ->group(kWhat);
    flag("-p,--preserve", options_.preserve, "keep modes and times", kHow);
    flag("-a,--archive", archive_, "the same as -rp", kHow);
    flag("--owner", options_.owner, "keep the numbers of owner and group as well", kHow);
    flag("--set-id", options_.set_id, "keep set-user-ID and set-group-ID bits as well", kHow);
    flag("-v,--verbose", verbose_, "name every file that was copied", "Appearance");
    app->add_flag("--strict", strict_, "exit with 3 where something was left out");
  }

  std::vector<Choice> ChoicesOf(absl::string_view) const override { return {}; }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_RETURN_IF_ERROR(CheckOptions());
    const size_t sources = operands_.arguments().size() - 1;
    NSCTL_ASSIGN_OR_RETURN(const Place place, FindPlace(operands_.arguments().back(), sources));
    RaiseDescriptorLimit();
    const InterruptGuard interrupts;
    PrepareOptions(env);
    FsFailures failures(env);
    google::protobuf::RepeatedPtrField<nsdisc::Gap> gaps;
    CopyProgress progress(env.err, env.progress_width);
    FsCopier copier(options_, &progress, &gaps, [&](const absl::Status& failure) {
      progress.Clear();
      failures.AddBelow(failure);
    });
    bool is_cancelled = false;
    operands_.ForEach(env, &failures, [&](const FsOperand& operand) -> absl::Status {
      if (is_cancelled) return absl::OkStatus();
      absl::Status copied = copier.Copy(operand, place.directory, NameFor(operand, place));
      progress.Clear();
      is_cancelled = absl::IsCancelled(copied);
      return is_cancelled ? absl::OkStatus() : std::move(copied);
    });
    failures.SayRest();
    const ExitStatus finished = FinishWithGaps(env, kFs, gaps, strict_);
    if (is_cancelled) return Interrupted(env, progress.state());
    return failures.any() ? failures.status() : finished;
  }

 private:
  absl::Status CheckOptions() {
    if (!limit_word_.empty()) {
      const std::optional<uint64_t> limit = ParseByteCount(limit_word_);
      if (!limit.has_value()) {
        return UsageError(absl::StrCat("not a number of bytes: ", QuotedArgument(limit_word_)));
      }
      options_.limit = *limit;
    }
    if (operands_.arguments().empty())
      return UsageError("which file is to be copied, and where to?");
    if (operands_.arguments().size() == 1) return UsageError("the destination is missing");
    NSCTL_RETURN_IF_ERROR(CheckDestination(operands_.arguments().back()));
    return operands_.Parse(operands_.arguments().size() - 1);
  }

  void PrepareOptions(Environment& env) {
    options_.recursive = options_.recursive || archive_;
    options_.preserve = options_.preserve || archive_;
    options_.umask = CurrentUmask();
    options_.keep_made = operands_.arguments().size() > 2;
    options_.caller = operands_.caller();
    options_.timeout = operands_.timeout();
    options_.is_cancelled = [] { return InterruptGuard::Received() != 0; };
    if (!verbose_) return;
    options_.on_copied = [&env](absl::string_view source, absl::string_view destination) {
      env.out->Append(
          absl::StrCat(base::TerminalText(source), " -> ", base::TerminalText(destination), "\n"));
    };
  }

  static std::string NameFor(const FsOperand& operand, const Place& place) {
    if (!place.name.empty()) return place.name;
    const absl::string_view name = LastComponent(operand.path);
    // As cp does with "/." : what is in it goes into the destination itself.
    if (name == "/" || name == "." || name == "..") return "";
    return std::string(name);
  }

  static ExitStatus Interrupted(Environment& env, const CopyState& state) {
    Complain(env, kFs,
             absl::StrCat("interrupted after ", state.files,
                          " files; no file is half "
                          "copied, those that are missing were not begun"));
    env.out->Flush().IgnoreError();
    // As whoever sent it expects.
    const int number = InterruptGuard::Received();
    signal(number, SIG_DFL);
    raise(number);
    return ExitStatus::kFailed;
  }

  FsOperands operands_;
  CopyOptions options_;
  std::string limit_word_;
  bool archive_ = false, verbose_ = false, strict_ = false;
};

}  // namespace

const CommandEntry kFsCpCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsCpCommand>(); }};

}  // namespace nsctl::cmd
