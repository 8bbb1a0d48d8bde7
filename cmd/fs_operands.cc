#include "cmd/fs_operands.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/diagnostics.h"
#include "cmd/usage.h"

namespace nsctl::cmd {

using procfsroot::Root;

namespace {

constexpr char kGroup[] = "Source";
constexpr size_t kMostLinesBelow = 20;
constexpr int kMaxTimeoutSeconds = 24 * 60 * 60;

}  // namespace

std::string FsOperand::NameOf(absl::string_view other_path) const {
  return absl::StrCat(target, ":", base::EncodeText(other_path));
}

void FsFailures::Add(const absl::Status& failure) {
  ++count_;
  Complain(env_, kFs, failure.message());
}

void FsFailures::AddTarget(const absl::Status& failure) {
  if (absl::IsUnimplemented(failure)) ++unimplemented_;
  Add(failure);
}

void FsFailures::AddBelow(const absl::Status& failure) {
  if (below_++ < kMostLinesBelow) return Add(failure);
  ++count_;
  const int error = base::ErrnoOf(failure);
  ++rest_[error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(failure.code())];
}

void FsFailures::SayRest() {
  if (rest_.empty()) return;
  const auto format = [](std::string* out, const auto& kind) {
    absl::StrAppend(out, kind.second, " times ", kind.first);
  };
  Complain(env_, kFs, absl::StrCat("and more failures: ", absl::StrJoin(rest_, ", ", format)));
  rest_.clear();
}

ExitStatus FsFailures::status() const {
  if (count_ == 0) return ExitStatus::kDone;
  return count_ == unimplemented_ ? ExitStatus::kUnsupported : ExitStatus::kFailed;
}

void FsOperands::AddTo(CLI::App* app, const char* help) {
  app->add_option("paths", arguments_, help)->type_name("TARGET:PATH");
  app->add_option("--procfs", procfs_, "processes are those of the procfs that is mounted at DIR")
      ->type_name("DIR")
      ->take_last()
      ->group(kGroup);
  app->add_option("--timeout", timeout_word_,
                  "give up on a file system that does not answer for so long; default: 5")
      ->type_name("SECONDS")
      ->take_last()
      ->group(kGroup);
  engines_.AddWaitTo(app);
}

absl::Status FsOperands::Parse(size_t count) {
  double seconds = 0;
  if (!absl::SimpleAtod(timeout_word_, &seconds) || !(seconds > 0) ||
      seconds > kMaxTimeoutSeconds) {
    return UsageError(absl::StrCat("--timeout is a number of seconds above 0 and up to ",
                                   kMaxTimeoutSeconds, ", not ", QuotedArgument(timeout_word_)));
  }
  timeout_ = absl::Seconds(seconds);
  NSCTL_ASSIGN_OR_RETURN(wait_, engines_.ResolveWait());
  for (size_t i = 0; i < count; ++i) {
    NSCTL_ASSIGN_OR_RETURN(TargetPath parsed, ParseTargetPath(arguments_[i]));
    parsed_.push_back(std::move(parsed));
  }
  return absl::OkStatus();
}

absl::Status FsOperands::Parse() {
  if (arguments_.empty()) return UsageError("which file? It is given as TARGET:PATH: 1234:/etc");
  return Parse(arguments_.size());
}

absl::StatusOr<const Root*> FsOperands::RootOf(const Target& target, Environment& env) {
  const std::string name = ToString(target);
  auto found = roots_.find(name);
  if (found == roots_.end()) {
    if (containers_ == nullptr) containers_ = std::make_unique<ContainerTargets>("fs", &env, wait_);
    found = roots_
                .emplace(name, OpenContainerOrOther(target, procfs_,
                                                    {.timeout = timeout_, .caller = caller_},
                                                    containers_.get(), env))
                .first;
  }
  if (!found->second.ok()) return found->second.status();
  return &found->second->root();
}

void FsOperands::ForEach(Environment& env, FsFailures* failures,
                         absl::FunctionRef<absl::Status(const FsOperand&)> visit) {
  for (const TargetPath& parsed : parsed_) {
    const absl::StatusOr<const Root*> root = RootOf(parsed.target, env);
    if (root.ok()) {
      const absl::Status done =
          visit({.target = ToString(parsed.target), .path = parsed.path, .root = *root});
      if (!done.ok()) failures->Add(done);
    } else {
      failures->AddTarget(root.status());
    }
    // Nobody reads any more.
    if (!env.out->ok()) return;
  }
}

}  // namespace nsctl::cmd
