#include "cmd/exec_gons.h"

#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;

constexpr char kDefaultOrder[] = "!user,!mnt,!cgroup,!ipc,!net,!pid,!uts";

std::string Variable(absl::Span<const std::string> environment, absl::string_view name) {
  const std::string prefix = absl::StrCat(name, "=");
  for (const std::string& variable : environment) {
    if (absl::StartsWith(variable, prefix)) return variable.substr(prefix.size());
  }
  return "";
}

std::string Shown(absl::string_view bytes) { return base::TerminalText(base::EncodeText(bytes)); }

std::string NameOf(NamespaceType type) { return absl::StrCat("gons_", base::InfoOf(type).name); }

absl::Status InvalidReference(NamespaceType type, absl::string_view path, int error) {
  return absl::InvalidArgumentError(absl::StrCat("package gons: invalid ", NameOf(type),
                                                 " reference \"", Shown(path),
                                                 "\": ", strerrordesc_np(error)));
}

}  // namespace

GonsOrder ParseGonsEnvironment(absl::Span<const std::string> environment) {
  std::string order = Variable(environment, "gons_order");
  if (order.empty()) order = kDefaultOrder;
  // One comma may end the list.
  if (order.back() == ',') order.pop_back();
  GonsOrder result;
  for (absl::string_view word : absl::StrSplit(order, ',')) {
    const bool open_first = absl::ConsumePrefix(&word, "!");
    const std::optional<NamespaceType> type = base::NamespaceTypeFromName(word);
    if (!type.has_value() || *type == NamespaceType::kTime) {
      result.error = absl::InvalidArgumentError(
          absl::StrCat("package gons: unknown namespace type \"", Shown(word), "\" in gons_order"));
      return result;
    }
    const std::string path = Variable(environment, NameOf(*type));
    if (path.empty()) continue;
    const bool is_second = std::any_of(result.steps.begin(), result.steps.end(),
                                       [&](const GonsStep& step) { return step.type == *type; });
    if (is_second) {
      result.error = absl::InvalidArgumentError(
          absl::StrCat("package gons: duplicate namespace order type ", word));
      return result;
    }
    result.steps.push_back({*type, path, open_first});
  }
  return result;
}

absl::StatusOr<nsentry::EntryRequest> OpenGonsSteps(const GonsOrder& order) {
  nsentry::EntryRequest request;
  request.as_given = true;
  for (const GonsStep& step : order.steps) {
    if (!step.open_first) {
      request.late.push_back({request.references.size(), step.type, step.path});
      continue;
    }
    absl::StatusOr<base::OwnedFd> fd =
        base::OpenAt(base::FdRef(AT_FDCWD), step.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd.ok()) return InvalidReference(step.type, step.path, base::ErrnoOf(fd.status()));
    // What is no such namespace is for setns(2) to refuse, as there.
    NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(*fd));
    request.references.push_back({step.type, id, *std::move(fd), step.path});
  }
  NSCTL_RETURN_IF_ERROR(order.error);
  return request;
}

absl::Status GonsFailure(const nsentry::EntryPlan& plan, const nsentry::EntryResult& result) {
  using Phase = nsentry::EntryResult::Phase;
  if (result.phase != Phase::kOpen && result.phase != Phase::kJoin) {
    return EntryStatus(plan, result);
  }
  const nsentry::EntryStep& step = plan.steps()[static_cast<size_t>(result.step)];
  if (result.phase == Phase::kOpen) return InvalidReference(step.type, step.origin, result.error);
  return absl::InvalidArgumentError(absl::StrCat("package gons: cannot join ", NameOf(step.type),
                                                 " using reference \"", Shown(step.origin),
                                                 "\": ", strerrordesc_np(result.error)));
}

}  // namespace nsctl::cmd
