#include "cmd/target.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/usage.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using absl::string_view;

// PID_MAX_LIMIT of 64-bit kernels.
constexpr uint64_t kMaxPid = 4 << 20;
constexpr size_t kMinIdDigits = 12;
constexpr size_t kMaxIdDigits = 64;
constexpr char kForms[] =
    "a target is a process (1234, 1234:INODE), a namespace (net:[4026531840]), a container "
    "(container:NAME, ENGINE/NAME, PROJECT/NAME, POD/NAME, 12 digits of its ID) or a path "
    "(/run/netns/x, ./x)";

absl::Status NotATarget(string_view argument, string_view reason) {
  return UsageError(absl::StrCat("not a target: ", QuotedArgument(argument), ": ", reason));
}

bool IsDigits(string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsHexDigits(string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// As most names of containers are.
bool IsNameOfContainer(string_view word) {
  return !word.empty() && absl::ascii_isalnum(static_cast<unsigned char>(word[0])) &&
         absl::c_all_of(word, [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

// The beginning of a UUID, 8-4-4-4-12 digits, behind the first dash of which there is a digit.
bool IsUuidPrefix(string_view text) {
  constexpr size_t kSize = 36;
  constexpr size_t kFirstDash = 8;
  if (text.size() <= kFirstDash + 1 || text.size() > kSize) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == kFirstDash || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  return true;
}

// What stands before the next colon of `text`, which is left with that colon and what follows.
string_view TakeField(string_view* text) {
  const string_view field = text->substr(0, text->find(':'));
  text->remove_prefix(field.size());
  return field;
}

// The bytes that the stored text `text` stands for. Unlike what commands print, what users type may
// have its hex digits in capitals.
std::optional<std::string> Unescape(string_view text) {
  std::string lower(text);
  for (size_t i = 0; i + 1 < lower.size(); ++i) {
    if (lower[i] != '\\') continue;
    if (lower[i + 1] == 'x') {
      for (size_t digit = i + 2; digit < std::min(i + 4, lower.size()); ++digit) {
        lower[digit] = absl::ascii_tolower(static_cast<unsigned char>(lower[digit]));
      }
    }
    ++i;
  }
  return base::DecodeText(lower);
}

// One argument while it is read. `rest` is what was not read yet; a target is read up to a colon or
// the end.
struct Reader {
  string_view argument;
  string_view rest;

  absl::Status Error(string_view reason) const { return NotATarget(argument, reason); }

  // The bytes of `text`, a part of the argument. Nothing that is named has a NUL in its name.
  absl::StatusOr<std::string> Bytes(string_view text) const {
    std::optional<std::string> bytes = Unescape(text);
    if (!bytes.has_value()) {
      return Error("a backslash is followed by another one, or by x and two hex digits");
    }
    if (absl::StrContains(*bytes, '\0')) return Error("it has a NUL byte");
    return *std::move(bytes);
  }
};

// `digits` is the PID and was read.
absl::StatusOr<Target> ReadProcess(string_view digits, Reader* in) {
  uint64_t pid = 0;
  if (!absl::SimpleAtoi(digits, &pid) || pid == 0 || pid > kMaxPid) {
    return in->Error(absl::StrCat("a PID is a number from 1 to ", kMaxPid));
  }
  ProcessTarget target{.pid = {static_cast<pid_t>(pid)}};
  string_view after = in->rest;
  absl::ConsumePrefix(&after, ":");
  const string_view inode = TakeField(&after);
  if (!IsDigits(inode)) return target;
  in->rest = after;
  if (!absl::SimpleAtoi(inode, &target.pidfd_inode.emplace())) {
    return in->Error("the inode number is too large");
  }
  return target;
}

// The type's name was read; what follows it, a colon at first, was not.
absl::StatusOr<Target> ReadNamespace(base::NamespaceType type, Reader* in) {
  absl::ConsumePrefix(&in->rest, ":");
  const string_view field = TakeField(&in->rest);
  string_view number = field;
  if (absl::ConsumePrefix(&number, "[") != absl::ConsumeSuffix(&number, "]")) number = "";
  NamespaceTarget target{.type = type, .inode = 0};
  if (!IsDigits(number) || !absl::SimpleAtoi(number, &target.inode)) {
    const string_view name = base::InfoOf(type).name;
    return in->Error(absl::StrCat("a namespace is written ", name, ":[INODE] or ", name, ":INODE"));
  }
  return target;
}

// "pid:" is before a PID and before the inode number of a PID namespace, which is larger.
absl::StatusOr<Target> ReadAfterPid(Reader* in) {
  string_view after = in->rest;
  absl::ConsumePrefix(&after, ":");
  const string_view digits = TakeField(&after);
  uint64_t number = 0;
  if (!IsDigits(digits) || !absl::SimpleAtoi(digits, &number) || number > kMaxPid) {
    return ReadNamespace(base::NamespaceType::kPid, in);
  }
  in->rest = after;
  return ReadProcess(digits, in);
}

absl::StatusOr<Target> ReadContainer(string_view engine, string_view name, const Reader& in) {
  ContainerTarget target;
  NSCTL_ASSIGN_OR_RETURN(target.engine, in.Bytes(engine));
  NSCTL_ASSIGN_OR_RETURN(target.name, in.Bytes(name));
  if (target.name.empty()) return in.Error("the container's name is missing");
  return target;
}

bool IsEngineType(string_view word) {
  engines::Engine::Type type;
  return engines::Engine::Type_Parse(std::string(word), &type) &&
         type != engines::Engine::unspecified;
}

// What follows the type in the key of an engine: "1234@5678", or its PID alone.
bool IsProcessKey(string_view text) {
  const size_t at = text.find('@');
  return IsDigits(text.substr(0, at)) && (at == string_view::npos || IsDigits(text.substr(at + 1)));
}

absl::StatusOr<Target> ReadPath(string_view text, const Reader& in) {
  NSCTL_ASSIGN_OR_RETURN(std::string path, in.Bytes(text));
  return PathTarget{std::move(path)};
}

// A word that no colon or slash tells the kind of.
absl::StatusOr<Target> ReadId(string_view word, const Reader& in) {
  if (!IsHexDigits(word) && !IsUuidPrefix(word)) {
    const bool is_name = in.rest.empty() && IsNameOfContainer(word);
    return in.Error(is_name ? absl::StrCat(kForms, "; a container is written container:", word)
                            : std::string(kForms));
  }
  if (word.size() < kMinIdDigits || word.size() > kMaxIdDigits) {
    return in.Error(absl::StrCat("a container's ID is given by ", kMinIdDigits, " to ",
                                 kMaxIdDigits, " digits of it, its name as container:", word,
                                 ", a path as ./", word));
  }
  return ContainerIdTarget{absl::AsciiStrToLower(word)};
}

absl::StatusOr<Target> ReadTarget(Reader* in) {
  const string_view word = TakeField(&in->rest);
  if (absl::StartsWith(word, "/") || absl::StartsWith(word, ".")) return ReadPath(word, *in);
  if (IsDigits(word) && word.size() < kMinIdDigits) return ReadProcess(word, in);
  if (!in->rest.empty()) {
    if (word == "pid") return ReadAfterPid(in);
    if (const auto type = base::NamespaceTypeFromName(word)) return ReadNamespace(*type, in);
    if (IsEngineType(word)) {
      string_view after = in->rest;
      absl::ConsumePrefix(&after, ":");
      const string_view field = TakeField(&after);
      const size_t slash = field.find('/');
      if (slash != string_view::npos && IsProcessKey(field.substr(0, slash))) {
        in->rest = after;
        return ReadContainer(absl::StrCat(word, ":", field.substr(0, slash)),
                             field.substr(slash + 1), *in);
      }
    }
    if (word == "container") {
      absl::ConsumePrefix(&in->rest, ":");
      return ReadContainer("", TakeField(&in->rest), *in);
    }
  }
  const size_t slash = word.find('/');
  if (slash != string_view::npos && IsDigits(word.substr(0, slash))) {
    return in->Error(absl::StrCat(
        "a file of a process is written with a colon: ",
        QuotedArgument(absl::StrCat(word.substr(0, slash), ":", word.substr(slash), in->rest))));
  }
  if (slash != string_view::npos) {
    return ReadContainer(word.substr(0, slash), word.substr(slash + 1), *in);
  }
  return ReadId(word, *in);
}

// Stored text that ParseTarget takes for a name or path.
std::string Escaped(string_view bytes) {
  return absl::StrReplaceAll(base::EncodeText(bytes), {{":", "\\x3a"}});
}

// The same of a word before a slash: neither the start of a path nor a process's number.
std::string EscapedWord(string_view bytes) {
  std::string text = absl::StrReplaceAll(Escaped(bytes), {{"/", "\\x2f"}});
  if (absl::StartsWith(text, ".") || IsDigits(text)) {
    text.replace(0, 1, absl::StrFormat("\\x%02x", text[0]));
  }
  return text;
}

struct Spelling {
  std::string operator()(const ProcessTarget& target) const {
    if (!target.pidfd_inode.has_value()) return absl::StrCat(target.pid.value);
    return absl::StrCat(target.pid.value, ":", *target.pidfd_inode);
  }
  std::string operator()(const NamespaceTarget& target) const {
    return base::NamespaceLinkText(target.type, target.inode);
  }
  std::string operator()(const ContainerTarget& target) const {
    if (target.engine.empty()) return absl::StrCat("container:", Escaped(target.name));
    const size_t colon = target.engine.find(':');
    const bool is_key = colon != std::string::npos &&
                        IsEngineType(target.engine.substr(0, colon)) &&
                        IsProcessKey(target.engine.substr(colon + 1));
    return absl::StrCat(is_key ? target.engine : EscapedWord(target.engine), "/",
                        Escaped(target.name));
  }
  std::string operator()(const ContainerIdTarget& target) const { return target.id_prefix; }
  std::string operator()(const PathTarget& target) const { return Escaped(target.path); }
};

}  // namespace

absl::StatusOr<Target> ParseTarget(string_view argument) {
  Reader in{argument, argument};
  NSCTL_ASSIGN_OR_RETURN(Target target, ReadTarget(&in));
  if (!in.rest.empty()) {
    return in.Error(absl::StrCat("what follows ", QuotedArgument(ToString(target)),
                                 " is not part of it; a colon in a name is written \\x3a"));
  }
  return target;
}

absl::StatusOr<TargetPath> ParseTargetPath(string_view argument) {
  Reader in{argument, argument};
  NSCTL_ASSIGN_OR_RETURN(Target target, ReadTarget(&in));
  absl::ConsumePrefix(&in.rest, ":");
  NSCTL_ASSIGN_OR_RETURN(std::string path, in.Bytes(in.rest));
  return TargetPath{std::move(target), path.empty() ? "/" : std::move(path)};
}

std::string ToString(const Target& target) { return std::visit(Spelling{}, target); }

}  // namespace nsctl::cmd
