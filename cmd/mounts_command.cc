#include "cmd/mounts_command.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/container_options.h"
#include "cmd/container_target.h"
#include "cmd/diagnostics.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/mount_columns.h"
#include "cmd/mount_list.h"
#include "cmd/mount_lookup.h"
#include "cmd/mount_options.h"
#include "cmd/mount_source.h"
#include "cmd/mount_text.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/source_options.h"
#include "cmd/target.h"
#include "cmd/usage.h"
#include "mounttree/holding.h"
#include "mounttree/mount_tree.h"
#include "procfsroot/bounded_call.h"

namespace nsctl::cmd {
namespace {

using mounttree::MountNamespace;
using nsdisc::Snapshot;
using procfsroot::BoundedCaller;
using procfsroot::Procfs;

// For each path of the command line.
constexpr absl::Duration kLookUpTime = absl::Seconds(1);

constexpr CommandInfo kInfo = {
    .name = "mounts",
    .alias = nullptr,
    .summary = "mount tree of any mount namespace, visibility, propagation",
    .arguments = "[TARGET]",
    .description =
        "Shows what is mounted where in the mount namespace of TARGET, or of this\n"
        "process: each mount below the one that it lies on, and whether its path leads\n"
        "to it or another mount is in the way. Nothing that is mounted is touched, so a\n"
        "dead server does no harm; but for the paths of -T, -M and --holding, which are\n"
        "looked up in the target, from the root of its namespace or of its process.\n"
        "Paths and sources may have the escapes of TARGET.\n"
        "\n" NSCTL_TARGET_HELP,
    .examples =
        "nsctl mounts\n"
        "nsctl mounts 1234 -t ext4,xfs\n"
        "nsctl mounts mnt:[4026532177] -c TARGET,PROPAGATION,ID,PARENT\n"
        "nsctl mounts --all --shadowed\n"
        "nsctl mounts 1234 -T /srv/data --propagation\n"
        "nsctl mounts --holding /dev/sdb1\n"
        "nsctl mounts --from host.pb --all -o jsonl | jq .mount.mount_point",
    .apart = Apart::kAgain,
};

// The namespaces that were read, and what the result lacks.
struct Scanned {
  std::vector<ScannedMounts> mounts;
  // Of a scan of all; null where only one namespace was read.
  std::unique_ptr<Snapshot> snapshot;
};

void AddGaps(const MountNamespace& mounts, MountList* list) {
  for (const mounttree::MountGap& gap : mounts.gaps()) {
    nsdisc::Gap* added = list->add_gaps();
    added->set_subject(base::NamespaceLinkText(base::NamespaceType::kMnt, mounts.inode()));
    added->set_operation(gap.operation());
    added->set_error(gap.error());
    added->set_consequence(gap.consequence());
    added->set_count(gap.count());
  }
}

// Whether a gap is of a namespace that has no mounts: "net:[4026531840]".
bool IsOfAnotherType(absl::string_view subject) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    if (info.type == base::NamespaceType::kMnt) continue;
    if (absl::StartsWith(subject, absl::StrCat(info.name, ":["))) return true;
  }
  return false;
}

// What --holding names.
struct Held {
  std::optional<mounttree::HoldingQuery> query = std::nullopt;
  // Nothing is at the path.
  bool is_missing = false;
};

class MountsCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("target", target_, "whose mounts")->type_name("TARGET");
    app->add_flag("-A,--all", all_, "of all mount namespaces")->group("What to look at");
    options_.AddTo(app);
    source_.AddTo(app);
    engines_.AddWaitTo(app);
    output_.AddTo(app);
    app->add_flag("-l,--list", flat_, "a table with whole paths in place of a tree")
        ->group("Appearance");
    app->add_option("-c,--columns", columns_,
                    "show these columns, or all; +COLUMN adds to the default ones")
        ->type_name("COLUMN,...")
        ->allow_extra_args(false)
        ->group("Appearance");
    presentation_.AddHeadingsTo(app, "-n,--noheadings");
    presentation_.AddTruncationTo(app);
    presentation_.AddGlyphsTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "COLUMN") return MountColumnChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return {};
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(MountSelection selection, options_.Resolve());
    NSCTL_RETURN_IF_ERROR(ResolveTarget());
    const bool holding = !options_.holding().empty();
    const MountView view = holding                  ? MountView::kHolding
                           : options_.propagation() ? MountView::kPropagation
                                                    : MountView::kMounts;
    const bool flat = flat_ || holding;
    NSCTL_ASSIGN_OR_RETURN(const std::vector<size_t> columns,
                           SelectMountColumns(columns_, view, flat && ShowsAll()));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_RETURN_IF_ERROR(ResolveContainer(env));

    NSCTL_ASSIGN_OR_RETURN(Scanned scanned, Scan(env));
    NSCTL_RETURN_IF_ERROR(LookUp(env, &selection));
    NSCTL_ASSIGN_OR_RETURN(const Held held, FindHeld(env));
    selection.holding = held.query;
    MountList gaps;
    for (const ScannedMounts& one : scanned.mounts) AddGaps(one.mounts, &gaps);
    NSCTL_ASSIGN_OR_RETURN(MountList list, BuildMountList(std::move(scanned.mounts), selection));
    if (scanned.snapshot != nullptr) {
      *list.mutable_taken_at() = scanned.snapshot->taken_at();
      *list.mutable_host() = scanned.snapshot->host();
      TakeGaps(scanned.snapshot.get(), &list);
    } else {
      list.mutable_taken_at()->set_seconds(absl::ToUnixSeconds(env.system->Now()));
      list.mutable_gaps()->Swap(gaps.mutable_gaps());
    }
    if (holding && list.rows().empty()) {
      const std::string name = QuotedArgument(options_.holding());
      if (held.is_missing) {
        return absl::NotFoundError(absl::StrCat("no file is at ", name, ", nor is it mounted"));
      }
      Complain(
          env, kInfo.name,
          absl::StrCat("nothing has ", name, " mounted in a mount namespace; what is detached ",
                       "and still in use is not seen"));
    }
    if (format == Format::kTable) {
      const bool reaches = selection.propagation &&
                           (selection.holder_of.has_value() || selection.mount_point.has_value());
      PrintMounts(
          list,
          {.columns = columns, .flat = flat, .name_namespaces = ShowsAll(), .reaches = reaches},
          presentation, env.out);
    } else {
      const auto for_each_row = [&](RecordSink sink) {
        for (const MountRow& row : list.rows()) sink(row);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(list, for_each_row, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, list.gaps(), strict_);
  }

 private:
  // Where one namespace was named, what is not known of others is no gap.
  void TakeGaps(Snapshot* snapshot, MountList* list) const {
    const bool all = !parsed_target_.has_value() || options_.propagation();
    const std::string named =
        list->rows().empty()
            ? ""
            : base::NamespaceLinkText(base::NamespaceType::kMnt, list->rows(0).mount_namespace());
    for (nsdisc::Gap& gap : *snapshot->mutable_gaps()) {
      if (IsOfAnotherType(gap.subject())) continue;
      if (all || gap.subject() == named) *list->add_gaps() = std::move(gap);
    }
  }

  absl::Status ResolveTarget() {
    if (target_.empty()) return absl::OkStatus();
    if (all_) return UsageError("--all and a TARGET exclude each other");
    NSCTL_ASSIGN_OR_RETURN(parsed_target_, ParseTarget(target_));
    return absl::OkStatus();
  }

  // A container in a file is looked up there.
  absl::Status ResolveContainer(Environment& env) {
    NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, engines_.ResolveWait());
    if (!parsed_target_.has_value() || source_.is_file()) return absl::OkStatus();
    ContainerTargets containers(kInfo.name, &env, wait);
    NSCTL_ASSIGN_OR_RETURN(parsed_target_, containers.Resolve(*parsed_target_, source_.procfs()));
    return absl::OkStatus();
  }

  // Where nothing was named: of another host or procfs, where "this process" means nothing, and
  // for --holding, all namespaces; else that of this process.
  bool ShowsAll() const {
    return !parsed_target_.has_value() &&
           (all_ || source_.is_file() || !source_.procfs().empty() || !options_.holding().empty());
  }

  absl::StatusOr<Scanned> Scan(Environment& env) const {
    Scanned scanned;
    std::optional<uint32_t> shown;
    if (!source_.is_file()) {
      NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, env.system->OpenProcfs(source_.procfs()));
      if (procfs.is_live() && !ShowsAll()) {
        NSCTL_ASSIGN_OR_RETURN(ScannedMounts one, ScanMountsOf(parsed_target_, procfs));
        // 0 is the number of none: a namespace that could not be opened has no number.
        shown = one.mounts.inode();
        scanned.mounts.push_back(std::move(one));
        if (!options_.propagation()) return scanned;
      }
    }

    NSCTL_ASSIGN_OR_RETURN(scanned.snapshot,
                           source_.Acquire({.mounts = true}, nsdisc::ScanOptions::loose,
                                           nsdisc::ProcessDetail::kRepresentatives, env));
    if (parsed_target_.has_value() && !shown.has_value()) {
      NSCTL_ASSIGN_OR_RETURN(shown, FindMountNamespaceIn(*scanned.snapshot, *parsed_target_));
    }
    NSCTL_ASSIGN_OR_RETURN(std::vector<ScannedMounts> all, TakeMounts(scanned.snapshot.get()));
    NSCTL_RETURN_IF_ERROR(Show(shown, std::move(all), &scanned.mounts));
    return scanned;
  }

  // Puts `all` in place of the one that was read alone, whose mounts they have as well, but where a
  // scan did not find it.
  static absl::Status Show(std::optional<uint32_t> shown, std::vector<ScannedMounts> all,
                           std::vector<ScannedMounts>* scanned) {
    bool found = false;
    for (ScannedMounts& one : all) {
      one.shown = !shown.has_value() || one.mounts.inode() == *shown;
      found = found || one.shown;
    }
    if (shown.has_value() && !found) {
      if (scanned->empty()) {
        return absl::NotFoundError(
            absl::StrCat("the mounts of mnt:[", *shown, "] could not be read"));
      }
      const auto place = std::find_if(all.begin(), all.end(), [&](const ScannedMounts& one) {
        return one.mounts.inode() > *shown;
      });
      all.insert(place, std::move(scanned->front()));
    }
    *scanned = std::move(all);
    return absl::OkStatus();
  }

  // Turns the paths of the command line into what can be compared.
  absl::Status LookUp(Environment& env, MountSelection* selection) const {
    if (!options_.target_path().empty()) {
      NSCTL_ASSIGN_OR_RETURN(const LookedUpPath path, Find(options_.target_path(), env));
      if (path.is_missing()) {
        return absl::NotFoundError(
            absl::StrCat("no file is at ", QuotedArgument(options_.target_path())));
      }
      if (!path.is_unanswered()) NSCTL_RETURN_IF_ERROR(path.error);
      selection->holder_of = path.path;
      selection->holder_id = path.mount_id;
    }
    if (!options_.mount_point().empty()) {
      // One that is hidden is found by no walk.
      NSCTL_ASSIGN_OR_RETURN(const LookedUpPath path, Find(options_.mount_point(), env));
      selection->mount_point = path.path;
    }
    if (!options_.source_device().empty()) {
      NSCTL_ASSIGN_OR_RETURN(const mounttree::Device device, FindDevice(env));
      selection->filter.devices.push_back(device);
    }
    return absl::OkStatus();
  }

  // `path`, which may have escapes, as the target has it; as it is written where there is none to
  // ask. Whoever owns the target's file systems can have the answer take its time, but no longer.
  absl::StatusOr<LookedUpPath> Find(const std::string& path, Environment& env) const {
    NSCTL_ASSIGN_OR_RETURN(const std::string bytes, DecodeArgument(path));
    if (source_.is_file() || !source_.procfs().empty() || all_) return LexicalPath(bytes);
    const Target whose = parsed_target_.value_or(Target(PathTarget{"/"}));
    const auto root =
        env.system->OpenRoot(whose, source_.procfs(),
                             {.timeout = kLookUpTime, .caller = std::make_shared<BoundedCaller>()});
    if (!root.ok()) return LexicalPath(bytes);
    LookedUpPath found = LookUpPath(root->root(), bytes);
    if (found.is_unanswered()) {
      Complain(env, kInfo.name,
               absl::StrCat(base::TerminalText(found.path),
                            " does not answer: it is taken as it is written"));
    }
    return found;
  }

  absl::StatusOr<mounttree::Device> FindDevice(Environment& env) const {
    const std::string& name = options_.source_device();
    std::optional<mounttree::Device> device = mounttree::ParseDevice(name);
    if (!device.has_value() && absl::StartsWith(name, "/")) {
      NSCTL_ASSIGN_OR_RETURN(const LookedUpPath path, Find(name, env));
      device = path.block_device;
    }
    if (device.has_value()) return *device;
    return UsageError(absl::StrCat("no block device: ", QuotedArgument(name)));
  }

  absl::StatusOr<Held> FindHeld(Environment& env) const {
    const std::string& name = options_.holding();
    if (name.empty()) return Held{};
    Held held;
    mounttree::HoldingQuery& query = held.query.emplace();
    query.device = mounttree::ParseDevice(name);
    if (query.device.has_value()) return held;
    if (!absl::StartsWith(name, "/")) {
      return UsageError(
          absl::StrCat("--holding wants MAJ:MIN or an absolute path: ", QuotedArgument(name)));
    }
    NSCTL_ASSIGN_OR_RETURN(const LookedUpPath path, Find(name, env));
    held.is_missing = path.is_missing();
    if (!held.is_missing && !path.is_unanswered()) NSCTL_RETURN_IF_ERROR(path.error);
    query.path = path.path;
    query.device = path.block_device;
    // Of what is no file any more the source or mount point may still tell.
    if (query.device.has_value() || source_.is_file() || held.is_missing) return held;
    NSCTL_ASSIGN_OR_RETURN(query.place, FindPlace(path, env));
    return held;
  }

  // What a path is on is told by the mounts of the target, or of whoever typed it.
  absl::StatusOr<std::optional<mounttree::FilePlace>> FindPlace(const LookedUpPath& path,
                                                                Environment& env) const {
    NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, env.system->OpenProcfs(source_.procfs()));
    if (!procfs.is_live()) return std::nullopt;
    NSCTL_ASSIGN_OR_RETURN(ScannedMounts own, ScanMountsOf(parsed_target_, procfs));
    const mounttree::MountTree tree = mounttree::PlaceMounts(&own.mounts);
    if (!path.mount_id.has_value()) return mounttree::PlaceOf(own.mounts, tree, path.path);
    const std::optional<uint32_t> row = mounttree::FindMount(own.mounts, *path.mount_id);
    if (!row.has_value()) return std::nullopt;
    return mounttree::PlaceOn(own.mounts.mounts(static_cast<int>(*row)), path.path);
  }

  SourceOptions source_;
  ContainerOptions engines_;
  MountOptions options_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::string target_;
  std::optional<Target> parsed_target_;
  std::vector<std::string> columns_;
  bool all_ = false;
  bool flat_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kMountsCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<MountsCommand>(); }};

}  // namespace nsctl::cmd
