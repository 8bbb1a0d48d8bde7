#include "cmd/fs_cat_command.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/byte_count.h"
#include "cmd/fs_operands.h"
#include "cmd/terminal_stream.h"
#include "cmd/usage.h"
#include "procfsroot/bounded_file.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {
namespace {

using procfsroot::BoundedFile;

constexpr CommandInfo kInfo = {
    .name = "cat",
    .alias = nullptr,
    .summary = "the content of files",
    .arguments = "TARGET:PATH...",
    .description =
        "Writes the content of files of a target one after the other, as it is; on a\n"
        "terminal, control characters but newline and tab are escaped unless --raw is\n"
        "given. A FIFO or device is opened only with --special: it may do anything.",
    .examples =
        "nsctl fs cat 1234:/etc/resolv.conf\n"
        "nsctl fs cat --limit 64K 1234:/var/log/messages\n"
        "nsctl fs cat 1234:/usr/bin/app | sha256sum",
};

// Each costs two switches between threads, which on a busy machine take longer than the reading.
constexpr size_t kPiece = size_t{1} << 20;

class FsCatCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "the files");
    app->add_option("--limit", limit_word_,
                    "write at most so many bytes of each file, and fail where there are more; K, M "
                    "and G may follow; default: all")
        ->type_name("BYTES")
        ->take_last()
        ->group("What to look at");
    app->add_flag("-P,--no-follow", no_follow_, "refuse symlinks")->group("What to look at");
    app->add_flag("--special", special_, "open FIFOs and devices as well")
        ->group("What to look at");
    app->add_flag("--raw", raw_, "send control characters to a terminal as they are")
        ->group("Appearance");
  }

  std::vector<Choice> ChoicesOf(absl::string_view) const override { return {}; }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (!limit_word_.empty()) {
      const std::optional<uint64_t> limit = ParseByteCount(limit_word_);
      if (!limit.has_value()) {
        return UsageError(absl::StrCat("not a number of bytes: ", QuotedArgument(limit_word_)));
      }
      limit_ = *limit;
    }
    NSCTL_RETURN_IF_ERROR(operands_.Parse());
    FsFailures failures(env);
    operands_.ForEach(env, &failures, [&](const FsOperand& operand) { return Cat(operand, env); });
    return failures.status();
  }

 private:
  absl::Status Cat(const FsOperand& operand, Environment& env) {
    NSCTL_ASSIGN_OR_RETURN(
        base::OwnedFd opened,
        operand.root->Open(operand.path, O_RDONLY, {.follow_last = !no_follow_}, special_));
    BoundedFile file(operands_.caller(), operands_.timeout(), std::move(opened));
    TerminalStream terminal;
    const bool escape = env.out_is_terminal && !raw_;
    absl::Status status;
    uint64_t left = limit_;
    while (env.out->ok()) {
      // One more than is to be written tells whether there is more.
      const size_t wanted = left < kPiece ? static_cast<size_t>(left) + 1 : kPiece;
      const absl::StatusOr<absl::string_view> piece = file.Read(wanted);
      status = piece.status();
      if (!status.ok() || piece->empty()) break;
      const absl::string_view taken = piece->substr(0, std::min<uint64_t>(left, piece->size()));
      if (escape) {
        env.out->Append(terminal.Escape(taken));
      } else {
        env.out->Append(taken);
      }
      if (taken.size() < piece->size()) {
        status = absl::ResourceExhaustedError(
            absl::StrCat("read ", base::TerminalText(operand.Name()), ": more than the limit of ",
                         limit_, " bytes"));
        break;
      }
      left -= taken.size();
    }
    if (escape) env.out->Append(terminal.Finish());
    return status;
  }

  FsOperands operands_;
  std::string limit_word_;
  uint64_t limit_ = std::numeric_limits<uint64_t>::max();
  bool no_follow_ = false, special_ = false, raw_ = false;
};

}  // namespace

const CommandEntry kFsCatCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsCatCommand>(); }};

}  // namespace nsctl::cmd
