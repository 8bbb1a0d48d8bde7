#include "cmd/mount_options.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/mount_lookup.h"
#include "cmd/usage.h"
#include "mounttree/holding.h"

namespace nsctl::cmd {
namespace {

constexpr char kGroup[] = "Which mounts";

absl::Status CheckAbsolute(const char* option, const std::string& path) {
  if (path.empty() || path.front() == '/') return absl::OkStatus();
  return UsageError(absl::StrCat(option, " wants an absolute path: ", QuotedArgument(path)));
}

}  // namespace

std::vector<std::string> ParseFsTypes(const std::vector<std::string>& lists) {
  std::vector<std::string> types;
  for (const std::string& list : lists) {
    const bool none_of = absl::StartsWith(list, "no");
    for (const std::string& word : SplitLists({list})) {
      const bool prefixed = absl::StartsWith(word, "no");
      types.push_back(none_of && !prefixed ? absl::StrCat("no", word) : word);
    }
  }
  return types;
}

void MountOptions::AddTo(CLI::App* app) {
  app->add_option("-t,--types,--type", types_,
                  "only file systems of these types; \"no\" before the first: none of them")
      ->type_name("FSTYPE,...")
      ->allow_extra_args(false)
      ->group(kGroup);
  app->add_option("-S,--source", sources_, "only mounts of this source, or of the device MAJ:MIN")
      ->type_name("SOURCE")
      ->allow_extra_args(false)
      ->group(kGroup);
  app->add_option("--source-device", source_device_,
                  "only mounts of this block device, whatever they call it: its file or MAJ:MIN")
      ->type_name("DEVICE")
      ->take_last()
      ->group(kGroup);
  app->add_option("-O,--options", options_,
                  "only mounts with all of these options; \"no\" before one that is no flag such "
                  "as nosuid: without it; + before one: as it stands")
      ->type_name("OPTION,...")
      ->allow_extra_args(false)
      ->group(kGroup);
  app->add_option("-T,--target", target_, "only the mount that PATH is on")
      ->type_name("PATH")
      ->take_last()
      ->group(kGroup);
  app->add_option("-M,--mountpoint", mount_point_, "only mounts at PATH, hidden ones too")
      ->type_name("PATH")
      ->take_last()
      ->group(kGroup);
  app->add_flag("-R,--submounts", submounts_, "what lies on these mounts as well")->group(kGroup);
  app->add_flag("--shadowed", shadowed_, "only mounts that others lie over")->group(kGroup);
  app->add_flag("--real", real_, "only file systems that store something")->group(kGroup);
  app->add_flag("--pseudo", pseudo_, "only file systems that the kernel makes up")->group(kGroup);
  app->add_flag("--propagation", propagation_,
                "which mounts of all namespaces share their mounts and unmounts; with -T or -M "
                "also what an unmount there unmounts elsewhere")
      ->group(kGroup);
  app->add_option("--holding", holding_,
                  "in all mount namespaces: what keeps a device (its file or MAJ:MIN), or the file "
                  "system or directory at a path, mounted")
      ->type_name("DEVICE|PATH")
      ->take_last()
      ->group(kGroup);
}

absl::StatusOr<MountSelection> MountOptions::Resolve() const {
  if (real_ && pseudo_) return UsageError("--real and --pseudo exclude each other");
  NSCTL_RETURN_IF_ERROR(CheckAbsolute("--target", target_));
  NSCTL_RETURN_IF_ERROR(CheckAbsolute("--mountpoint", mount_point_));
  MountSelection selection;
  selection.filter.types = ParseFsTypes(types_);
  selection.filter.options = SplitLists(options_);
  for (const std::string& source : sources_) {
    const std::optional<mounttree::Device> device = mounttree::ParseDevice(source);
    if (device.has_value()) selection.filter.devices.push_back(*device);
    NSCTL_ASSIGN_OR_RETURN(const std::string bytes, DecodeArgument(source));
    selection.filter.sources.push_back(base::EncodeText(bytes));
  }
  selection.filter.shadowed = shadowed_;
  selection.filter.real = real_;
  selection.filter.pseudo = pseudo_;
  selection.submounts = submounts_;
  selection.propagation = propagation_;
  return selection;
}

}  // namespace nsctl::cmd
