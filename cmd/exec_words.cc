#include "cmd/exec_words.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cmd/placeholder.h"
#include "cmd/target.h"

namespace nsctl::cmd {
namespace {

bool IsOption(absl::string_view word) { return word.size() > 1 && word[0] == '-'; }

// "NAME=value" with a name that a shell would take.
bool IsAssignment(absl::string_view word) {
  const size_t equals = word.find('=');
  if (equals == absl::string_view::npos || equals == 0 || absl::ascii_isdigit(word[0])) {
    return false;
  }
  return std::all_of(word.begin(), word.begin() + equals,
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

// What stands directly behind a short option's letter, where it can be nothing but its value.
bool IsValue(absl::string_view rest) {
  if (rest.empty()) return false;
  return absl::string_view("=/.:").find(rest[0]) != absl::string_view::npos ||
         absl::StrContains(rest, ":[");
}

bool IsTarget(absl::string_view word) { return ParseTarget(word).ok(); }

bool IsProcess(absl::string_view word) {
  const absl::StatusOr<Target> target = ParseTarget(word);
  return target.ok() && std::holds_alternative<ProcessTarget>(*target);
}

constexpr char kUnclear[] =
    "-i and -t could mean two things: write -it for a terminal, or --ipc for the IPC namespace";

// Options that name a namespace or a directory, by a file where they have a value.
constexpr const char* kOfTargetOrFile[] = {"--mount", "--uts",    "--ipc",  "--net",  "--pid",
                                           "--user",  "--cgroup", "--time", "--root", "--wd"};
// Options that are about a process in any case.
constexpr const char* kOfTarget[] = {"--all",    "--net-socket", "--join-cgroup",   "--target-env",
                                     "--groups", "--caps",       "--follow-context"};

class Splitter {
 public:
  Splitter(const CLI::App& app, absl::Span<const std::string> words) : app_(app), words_(words) {
    const auto* const end = std::find(words.begin(), words.end(), "--");
    many_targets_ = std::find(words.begin(), end, "--each") != end;
    no_target_ = std::find(words.begin(), end, "--gons-env") != end;
  }

  ExecWords Split() {
    while (next_ < words_.size()) {
      if (next_ > 0) last_ = words_[next_ - 1];
      const std::string& word = words_[next_++];
      if (word == "--") return TakeCommand();
      if (absl::StartsWith(word, "--")) {
        TakeLong(word);
      } else if (IsOption(word)) {
        TakeShort(word);
      } else if (no_target_ || (has_target_ && !many_targets_) || IsCommandAlready(word)) {
        --next_;
        return TakeCommand();
      } else {
        TakeTarget(word);
      }
    }
    return std::move(result_);
  }

 private:
  void Add(std::string word) { result_.options.push_back(std::move(word)); }

  void TakeTarget(const std::string& word) {
    Add(word);
    has_target_ = true;
  }

  ExecWords TakeCommand() {
    result_.command.assign(words_.begin() + static_cast<ptrdiff_t>(next_), words_.end());
    return std::move(result_);
  }

  bool IsCommandAlready(const std::string& word) const;

  bool NextIsAssignment() const { return next_ < words_.size() && IsAssignment(words_[next_]); }

  void TakeEnvironment() {
    if (NextIsAssignment()) {
      Add(absl::StrCat("--env=", words_[next_++]));
    } else {
      Add("--target-env");
    }
  }

  void TakeLong(const std::string& word);
  void TakeShort(absl::string_view word);
  // The option `letter` with `rest` behind it. True where that was its value.
  bool TakeLetter(const CLI::Option& option, char letter, absl::string_view rest);

  const CLI::App& app_;
  absl::Span<const std::string> words_;
  size_t next_ = 0;
  // The word before the one that is looked at.
  absl::string_view last_;
  bool many_targets_ = false;
  bool no_target_ = false;
  bool has_target_ = false;
  ExecWords result_;
};

// Files name all that is entered: then whatever cannot be a target is the command.
bool Splitter::IsCommandAlready(const std::string& word) const {
  if (many_targets_ || has_target_ || IsTarget(word)) return false;
  bool has_file = false;
  for (const absl::string_view option : result_.options) {
    const absl::string_view name = option.substr(0, option.find('='));
    const auto is_name = [&](const char* known) { return name == known; };
    if (std::any_of(std::begin(kOfTarget), std::end(kOfTarget), is_name)) return false;
    if (std::none_of(std::begin(kOfTargetOrFile), std::end(kOfTargetOrFile), is_name)) continue;
    if (name == option) return false;
    has_file = true;
  }
  return has_file;
}

void Splitter::TakeLong(const std::string& word) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const bool has_value = equals != std::string::npos;
  if (name == "--target") {
    if (has_value) return TakeTarget(word.substr(equals + 1));
    if (next_ < words_.size()) return TakeTarget(words_[next_++]);
  }
  if (word == "--env") return TakeEnvironment();
  Add(word);
  const CLI::Option* const option = app_.get_option_no_throw(name);
  if (option == nullptr || has_value || next_ == words_.size()) return;
  const Placeholder placeholder = PlaceholderOf(*option);
  if (!placeholder.word.empty() && !placeholder.optional) Add(words_[next_++]);
}

bool Splitter::TakeLetter(const CLI::Option& option, char letter, absl::string_view rest) {
  const std::string name = absl::StrCat("--", option.get_lnames().front());
  const Placeholder placeholder = PlaceholderOf(option);
  if (letter == 't' && IsProcess(rest)) {
    TakeTarget(std::string(rest));
    return true;
  }
  if (letter == 't' && rest.empty() && next_ < words_.size() && IsProcess(words_[next_])) {
    TakeTarget(words_[next_++]);
  } else if (letter == 't') {
    Add("--tty=auto");
  } else if (letter == 'e' && rest.empty()) {
    TakeEnvironment();
  } else if (placeholder.word.empty()) {
    Add(name);
  } else if (placeholder.optional && !IsValue(rest)) {
    Add(name);
  } else if (!rest.empty()) {
    if (rest[0] == '=') rest.remove_prefix(1);
    Add(absl::StrCat(name, "=", rest));
    return true;
  } else {
    Add(name);
    if (next_ < words_.size()) Add(words_[next_++]);
  }
  return false;
}

void Splitter::TakeShort(absl::string_view word) {
  if (word == "-it" || word == "-ti") return Add("--tty=always");
  const bool is_pair = (last_ == "-i" && word == "-t") || (last_ == "-t" && word == "-i");
  if (is_pair) result_.problem = kUnclear;
  for (size_t i = 1; i < word.size(); ++i) {
    const CLI::Option* const option =
        app_.get_option_no_throw(absl::StrCat("-", word.substr(i, 1)));
    if (option == nullptr || option->get_lnames().empty()) {
      return Add(i == 1 ? std::string(word) : absl::StrCat("-", word.substr(i)));
    }
    if (TakeLetter(*option, word[i], word.substr(i + 1))) return;
  }
}

}  // namespace

ExecWords SplitExecWords(const CLI::App& app, absl::Span<const std::string> words) {
  return Splitter(app, words).Split();
}

}  // namespace nsctl::cmd
