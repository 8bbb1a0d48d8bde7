#include "cmd/fs_ls_command.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs.pb.h"
#include "cmd/fs_list.h"
#include "cmd/fs_list_text.h"
#include "cmd/fs_operands.h"
#include "cmd/gap_report.h"
#include "cmd/help_text.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "ls",
    .alias = nullptr,
    .summary = "list directories",
    .arguments = "TARGET:PATH...",
    .description =
        "Lists directories of a target. Owners are numbers: what the target calls them\n"
        "is its own word. Names are escaped as everywhere in nsctl, in pipes as well.\n"
        "A directory's names are read for as long as --timeout says, what they are for\n"
        "four times that; what is left out then, or past --limit, is reported.\n"
        "Formats other than table have every entry but \".\" and \"..\", and all details.\n"
        "-h alone is --help, as sizes are shown by -l only.",
    .examples =
        "nsctl fs ls 1234:/etc\n"
        "nsctl fs ls -lh 1234:/var/log\n"
        "nsctl fs ls -laR mnt:[4026532401]:/run\n"
        "nsctl fs ls -o jsonl 1234:/tmp | jq .path",
};

class FsLsCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    operands_.AddTo(app, "what to list");
    const auto flag = [app](const char* names, bool& value, const char* help) {
      app->add_flag(names, value, help)->group("What to look at");
    };
    flag("-a,--all", all_, "names that begin with a dot as well, \".\" and \"..\" among them");
    flag("-A,--almost-all", almost_all_, "the same without \".\" and \"..\"");
    flag("-d,--directory", directory_, "directories themselves, not what is in them");
    flag("-R,--recursive", recursive_, "what is in directories below as well");
    flag("-x,--one-file-system", same_mount_, "with -R: leave out what is mounted below");
    flag("-L,--dereference", follow_, "what an argument that is a symlink leads to");
    app->add_option(
           "--limit", limit_word_,
           absl::StrCat("list no more than N entries, in all; default: ", kDefaultMaxEntries))
        ->type_name("N")
        ->take_last()
        ->group("What to look at");
    const auto look = [app](const char* names, bool& value, const char* help) {
      app->add_flag(names, value, help)->group("Appearance");
    };
    look("-l,--long", details_, "type and mode, links, owner, group, size, time and name");
    look("-n,--numeric-uid-gid", numeric_, "-l; owners are numbers in any case");
    look("-h,--human-readable", human_, "with -l: sizes such as 1.5K and 12M");
    look("-i,--inode", inodes_, "inode numbers before the names");
    look("-t,--time", by_time_, "newest first");
    look("-S,--size", by_size_, "largest first");
    look("-r,--reverse", reverse_, "in reverse order");
    look("-1,--one", one_, "one name per line, as it is without a terminal");
    presentation_.AddColorTo(app);
    output_.AddTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    return PresentationOptions::ChoicesOf(placeholder);
  }

  bool ShortHelp() const override { return false; }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    details_ = details_ || numeric_;
    if (human_ && !details_ && operands_.arguments().empty()) {
      env.out->Append(CommandHelpText(kFs, kFsLsCommand));
      return ExitStatus::kDone;
    }
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_RETURN_IF_ERROR(operands_.Parse());
    if (!limit_word_.empty() && (!absl::SimpleAtoi(limit_word_, &limit_) || limit_ == 0)) {
      return UsageError(
          absl::StrCat("--limit is a number above 0, not ", QuotedArgument(limit_word_)));
    }
    const FsListStyle style = MakeStyle(env);
    const FsListOptions options = MakeOptions(format, presentation.color);

    FsFailures failures(env);
    FsList list;
    const std::vector<FsOperand> directories = LookAtOperands(env, &failures, &list);
    size_t entries = 0;
    const bool streams =
        format == Format::kTable || format == Format::kJsonl || format == Format::kDelimitedPb;
    const auto write_files = [&]() -> absl::Status {
      if (format == Format::kTable) {
        auto files = list.files();
        // They are called as they were asked for.
        for (FsFile& file : files) file.set_name(file.path());
        PrintFiles(files, style, presentation, env.out);
        return absl::OkStatus();
      }
      return WriteRecords(list, list.files(), format, env);
    };
    if (streams) NSCTL_RETURN_IF_ERROR(write_files());
    bool is_first = list.files().empty();
    const bool with_titles = recursive_ || operands_.arguments().size() > 1;
    absl::Status written;
    const auto take = [&](const FsDirectory& directory) {
      if (format == Format::kTable) {
        if (with_titles) {
          env.out->Append(
              absl::StrCat(is_first ? "" : "\n", base::TerminalText(directory.path()), ":\n"));
        }
        if (details_) env.out->Append(TotalLine(directory, style));
        PrintFiles(directory.entries(), style, presentation, env.out);
      } else if (streams) {
        written.Update(WriteRecords(list, directory.entries(), format, env));
      } else {
        *list.add_directories() = directory;
      }
      is_first = false;
    };
    for (const FsOperand& operand : directories) {
      const absl::Status listed = ListFiles(operand, options, &entries, list.mutable_gaps(), take);
      if (!listed.ok()) failures.Add(listed);
    }
    if (!streams)
      written.Update(WriteMessage(
          list, [](RecordSink) {}, format, env.out));
    NSCTL_RETURN_IF_ERROR(written);
    const ExitStatus finished = FinishWithGaps(env, kFs, list.gaps(), strict_);
    return failures.any() ? failures.status() : finished;
  }

 private:
  static absl::Status WriteRecords(const FsList& list,
                                   const google::protobuf::RepeatedPtrField<FsFile>& files,
                                   Format format, Environment& env) {
    const auto for_each = [&](RecordSink sink) {
      for (const FsFile& file : files) sink(file);
    };
    return WriteMessage(list, for_each, format, env.out);
  }

  FsListStyle MakeStyle(const Environment& env) const {
    return {.details = details_,
            .human_sizes = human_,
            .inodes = inodes_,
            .width = one_ || !env.out_is_terminal ? 0 : env.terminal_width,
            .zone = absl::LocalTimeZone(),
            .now = env.system->Now()};
  }

  FsListOptions MakeOptions(Format format, bool with_colors) const {
    const bool is_table = format == Format::kTable;
    FsListOptions options;
    options.hidden = all_ || almost_all_ || !is_table;
    options.dots = all_;
    options.details = !is_table || details_ || inodes_ || by_time_ || by_size_ || recursive_ ||
                      // Colours are by type.
                      with_colors;
    if (by_time_) options.order = FsListOptions::Order::kTime;
    if (by_size_) options.order = FsListOptions::Order::kSize;
    options.reverse = reverse_;
    options.recursive = recursive_;
    options.same_mount = same_mount_;
    options.max_entries = limit_;
    options.caller = operands_.caller();
    options.timeout = operands_.timeout();
    return options;
  }

  // Adds those that are no directories, or are not to be looked into, to `list`.
  std::vector<FsOperand> LookAtOperands(Environment& env, FsFailures* failures, FsList* list) {
    std::vector<FsOperand> directories;
    operands_.ForEach(env, failures, [&](const FsOperand& operand) -> absl::Status {
      // As ls: with -l or -d a symlink is what was meant.
      const bool follow = follow_ || !(details_ || directory_) || absl::EndsWith(operand.path, "/");
      absl::StatusOr<FsFile> file = LookAtFile(operand, follow, list->mutable_gaps());
      // A symlink that leads nowhere is listed all the same.
      if (!file.ok() && follow && !follow_ && base::ErrnoOf(file.status()) != 0) {
        absl::StatusOr<FsFile> link = LookAtFile(operand, false, list->mutable_gaps());
        if (link.ok() && link->type() == FsFile::symlink) file = std::move(link);
      }
      NSCTL_RETURN_IF_ERROR(file.status());
      if (file->type() == FsFile::directory && !directory_) {
        directories.push_back(operand);
      } else {
        *list->add_files() = *std::move(file);
      }
      return absl::OkStatus();
    });
    return directories;
  }

  FsOperands operands_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  bool all_ = false, almost_all_ = false, directory_ = false, recursive_ = false;
  bool same_mount_ = false, follow_ = false, details_ = false, numeric_ = false, human_ = false;
  bool inodes_ = false, by_time_ = false, by_size_ = false, reverse_ = false, one_ = false;
  bool strict_ = false;
  std::string limit_word_;
  size_t limit_ = kDefaultMaxEntries;
};

}  // namespace

const CommandEntry kFsLsCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<FsLsCommand>(); }};

}  // namespace nsctl::cmd
