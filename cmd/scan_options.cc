#include "cmd/scan_options.h"

#include <algorithm>
#include <iterator>

#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using nsdisc::ScanOptions;

constexpr char kGroup[] = "What to look at";

struct Source {
  const char* name;
  bool ScanScope::*is_wanted;
  const char* summary;
};

constexpr Source kSources[] = {
    {"fds", &ScanScope::fds, "descriptors, pidfds and TUN/TAP devices"},
    {"sockets", &ScanScope::sockets, "network namespaces of sockets"},
    {"bind-mounts", &ScanScope::bind_mounts, "mounts of namespaces' files"},
    {"kernel-lists", &ScanScope::kernel_lists, "the kernel's own lists of namespaces"},
    {"names", &ScanScope::names, "host names, nsids and counts of IPC objects"},
};

std::vector<std::string> NamesOf(const std::vector<Choice>& choices) {
  std::vector<std::string> names;
  for (const Choice& choice : choices) names.push_back(choice.value);
  return names;
}

}  // namespace

void ScanScopeOptions::AddTo(CLI::App* app, const char* type_help) {
  app->add_option("-t,--type", types_, type_help)
      ->type_name("TYPE,...")
      ->allow_extra_args(false)
      ->group(kGroup);
  app->add_option("--tasks", threads_,
                  "which threads to look at: none, loose (default: those that left a namespace of "
                  "their process), or all; --tasks alone means all")
      ->type_name("[THREADS]")
      ->default_str("all")
      ->take_last()
      ->group(kGroup);
  app->add_option("--without", without_,
                  "do not look at these: what only they show, or hold, is missing then; not "
                  "with --from")
      ->type_name("SOURCE,...")
      ->allow_extra_args(false)
      ->group(kGroup);
}

std::vector<Choice> ScanScopeOptions::ChoicesOf(absl::string_view placeholder) {
  std::vector<Choice> choices;
  if (placeholder == "TYPE") {
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      choices.push_back({info.name, ""});
    }
  } else if (placeholder == "THREADS") {
    choices = {{"none", ""}, {"loose", ""}, {"all", ""}};
  } else if (placeholder == "SOURCE") {
    for (const Source& source : kSources) choices.push_back({source.name, source.summary});
  }
  return choices;
}

absl::StatusOr<ScanScope> ScanScopeOptions::Resolve() const {
  ScanScope scope;
  for (const std::string& name : SplitLists(types_)) {
    const std::optional<base::NamespaceType> type = base::NamespaceTypeFromName(name);
    if (!type.has_value()) return UnknownWord("type", name, NamesOf(ChoicesOf("TYPE")));
    scope.types.push_back(*type);
  }
  std::sort(scope.types.begin(), scope.types.end());
  scope.types.erase(std::unique(scope.types.begin(), scope.types.end()), scope.types.end());

  ScanOptions::Threads threads = ScanOptions::none;
  if (ScanOptions::Threads_Parse(threads_, &threads)) {
    scope.threads = threads;
  } else if (!threads_.empty()) {
    return UnknownWord("value of --tasks", threads_, NamesOf(ChoicesOf("THREADS")));
  }
  for (const std::string& name : SplitLists(without_)) {
    const auto* const source = std::find_if(std::begin(kSources), std::end(kSources),
                                            [&](const Source& one) { return one.name == name; });
    if (source == std::end(kSources)) {
      return UnknownWord("source", name, NamesOf(ChoicesOf("SOURCE")));
    }
    scope.*source->is_wanted = false;
  }
  return scope;
}

}  // namespace nsctl::cmd
