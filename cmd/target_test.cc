#include "cmd/target.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cmd/usage.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using testing::IsOkAndHolds;
using testing::StatusIs;

Target Process(pid_t pid) { return ProcessTarget{.pid = {pid}}; }
Target Process(pid_t pid, uint64_t inode) { return ProcessTarget{{pid}, inode}; }
Target Of(NamespaceType type, uint32_t inode) { return NamespaceTarget{type, inode}; }

// 64 digits.
constexpr char kId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct TargetCase {
  const char* argument;
  Target target;
  // Of ToString.
  const char* spelling;
};

const TargetCase kTargets[] = {
    {"1", Process(1), "1"},
    {"1234", Process(1234), "1234"},
    {"pid:1234", Process(1234), "1234"},
    {"4194304", Process(4194304), "4194304"},
    {"1234:5678", Process(1234, 5678), "1234:5678"},
    {"pid:1234:5678", Process(1234, 5678), "1234:5678"},
    {"1:18446744073709551615", Process(1, 18446744073709551615U), "1:18446744073709551615"},
    {"net:[4026531840]", Of(NamespaceType::kNet, 4026531840), "net:[4026531840]"},
    {"net:4026531840", Of(NamespaceType::kNet, 4026531840), "net:[4026531840]"},
    {"mnt:4294967295", Of(NamespaceType::kMnt, 4294967295), "mnt:[4294967295]"},
    {"cgroup:1", Of(NamespaceType::kCgroup, 1), "cgroup:[1]"},
    {"uts:1", Of(NamespaceType::kUts, 1), "uts:[1]"},
    {"ipc:1", Of(NamespaceType::kIpc, 1), "ipc:[1]"},
    {"user:1000", Of(NamespaceType::kUser, 1000), "user:[1000]"},
    {"time:1", Of(NamespaceType::kTime, 1), "time:[1]"},
    // A PID where it may be one.
    {"pid:[1234]", Of(NamespaceType::kPid, 1234), "pid:[1234]"},
    {"pid:4194305", Of(NamespaceType::kPid, 4194305), "pid:[4194305]"},
    {"pid:4026531836", Of(NamespaceType::kPid, 4026531836), "pid:[4026531836]"},
    {"container:web", ContainerTarget{"", "web"}, "container:web"},
    {"container:docker/web", ContainerTarget{"", "docker/web"}, "container:docker/web"},
    {R"(container:a\x3ab)", ContainerTarget{"", "a:b"}, R"(container:a\x3ab)"},
    {"docker/web", ContainerTarget{"docker", "web"}, "docker/web"},
    {"docker:12/web", ContainerTarget{"docker:12", "web"}, "docker:12/web"},
    {"podman:12@34/a/b", ContainerTarget{"podman:12@34", "a/b"}, "podman:12@34/a/b"},
    {"containerd/k8s.io/web", ContainerTarget{"containerd", "k8s.io/web"}, "containerd/k8s.io/web"},
    {"net/x", ContainerTarget{"net", "x"}, "net/x"},
    // What begins like something else, or has a slash, where it is escaped.
    {R"(\x34/x)", ContainerTarget{"4", "x"}, R"(\x34/x)"},
    {R"(\x2ex/y)", ContainerTarget{".x", "y"}, R"(\x2ex/y)"},
    {R"(a\x2fb/c)", ContainerTarget{"a/b", "c"}, R"(a\x2fb/c)"},
    {"deadbeef0123", ContainerIdTarget{"deadbeef0123"}, "deadbeef0123"},
    {"DEADBEEF0123", ContainerIdTarget{"deadbeef0123"}, "deadbeef0123"},
    // Digits alone, but too many for a PID.
    {"123456789012", ContainerIdTarget{"123456789012"}, "123456789012"},
    {kId, ContainerIdTarget{kId}, kId},
    {"df89765d-641c", ContainerIdTarget{"df89765d-641c"}, "df89765d-641c"},
    {"DF89765D-641c-4c0c-952f-a04e0b2fd05d",
     ContainerIdTarget{"df89765d-641c-4c0c-952f-a04e0b2fd05d"},
     "df89765d-641c-4c0c-952f-a04e0b2fd05d"},
    {"/", PathTarget{"/"}, "/"},
    {"/run/netns/x", PathTarget{"/run/netns/x"}, "/run/netns/x"},
    {".", PathTarget{"."}, "."},
    {"./x", PathTarget{"./x"}, "./x"},
    {"../x", PathTarget{"../x"}, "../x"},
    {R"(/a\x3ab\\\x0a\xff)", PathTarget{"/a:b\\\n\xff"}, "/a\\x3ab\\\\\n\\xff"},
    {R"(/a\x3Ab\xFF)", PathTarget{"/a:b\xff"}, R"(/a\x3ab\xff)"},
    {"/\xff\xc3\xa9", PathTarget{"/\xff\xc3\xa9"}, "/\\xff\xc3\xa9"},
};

TEST(ParseTarget, ReadsEveryForm) {
  for (const TargetCase& c : kTargets) {
    EXPECT_THAT(ParseTarget(c.argument), IsOkAndHolds(c.target)) << c.argument;
  }
}

TEST(ToString, IsReadBack) {
  for (const TargetCase& c : kTargets) {
    EXPECT_EQ(ToString(c.target), c.spelling);
    EXPECT_THAT(ParseTarget(ToString(c.target)), IsOkAndHolds(c.target));
  }
}

TEST(ParseTarget, SaysWhatIsWrong) {
  constexpr char kForms[] =
      "a target is a process (1234, 1234:INODE), a namespace (net:[4026531840]), a container "
      "(container:NAME, ENGINE/NAME, PROJECT/NAME, POD/NAME, 12 digits of its ID) or a path "
      "(/run/netns/x, ./x)";
  constexpr char kEscape[] = "a backslash is followed by another one, or by x and two hex digits";
  constexpr char kPid[] = "a PID is a number from 1 to 4194304";
  constexpr char kNet[] = "a namespace is written net:[INODE] or net:INODE";
  const auto digits = [](absl::string_view word) {
    return absl::StrCat(
        "a container's ID is given by 12 to 64 digits of it, its name as container:", word,
        ", a path as ./", word);
  };
  const std::string too_long = absl::StrCat(kId, "0");
  const std::string quoted_long = absl::StrCat("\"", kId, "0\"");
  struct Case {
    std::string argument;
    std::string quoted;
    std::string reason;
  };
  const Case cases[] = {
      {"", R"("")", kForms},
      {"web", R"("web")", absl::StrCat(kForms, "; a container is written container:web")},
      {"net", R"("net")", absl::StrCat(kForms, "; a container is written container:net")},
      {"web:/etc", R"("web:/etc")", kForms},
      {"-1", R"("-1")", kForms},
      {"+1", R"("+1")", kForms},
      {" 1", R"(" 1")", kForms},
      {"0", R"("0")", kPid},
      {"pid:0", R"("pid:0")", kPid},
      {"4194305", R"("4194305")", kPid},
      {"12345678901", R"("12345678901")", kPid},
      {"1:18446744073709551616", R"("1:18446744073709551616")", "the inode number is too large"},
      {"net:", R"("net:")", kNet},
      {"net:x", R"("net:x")", kNet},
      {"net:[4026531840", R"("net:[4026531840")", kNet},
      {"net:4026531840]", R"("net:4026531840]")", kNet},
      {"net:[-1]", R"("net:[-1]")", kNet},
      {"net:4294967296", R"("net:4294967296")", kNet},
      {"pid:x", R"("pid:x")", "a namespace is written pid:[INODE] or pid:INODE"},
      {"container:", R"("container:")", "the container's name is missing"},
      {"docker/", R"("docker/")", "the container's name is missing"},
      {"1234/etc", R"("1234/etc")", R"(a file of a process is written with a colon: "1234:/etc")"},
      {"beef", R"("beef")", digits("beef")},
      {"deadbeef012", R"("deadbeef012")", digits("deadbeef012")},
      {too_long, quoted_long, digits(too_long)},
      {R"(/a\)", R"("/a\\")", kEscape},
      {R"(/a\n)", R"("/a\\n")", kEscape},
      {R"(/a\:b)", R"("/a\\:b")", kEscape},
      {R"(/a\x3)", R"("/a\\x3")", kEscape},
      {R"(/a\x00)", R"("/a\\x00")", "it has a NUL byte"},
      {"1:/etc", R"("1:/etc")",
       R"(what follows "1" is not part of it; a colon in a name is written \x3a)"},
      {"/a:", R"("/a:")",
       R"(what follows "/a" is not part of it; a colon in a name is written \x3a)"},
      {"net:1:2", R"("net:1:2")",
       R"(what follows "net:[1]" is not part of it; a colon in a name is written \x3a)"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<Target> target = ParseTarget(c.argument);
    EXPECT_THAT(target, StatusIs(absl::StatusCode::kInvalidArgument,
                                 absl::StrCat("not a target: ", c.quoted, ": ", c.reason)));
    EXPECT_TRUE(IsUsageError(target.status())) << c.argument;
  }
}

TEST(ParseTargetPath, TakesTheLongestTarget) {
  struct Case {
    const char* argument;
    TargetPath expected;
  };
  const Case cases[] = {
      {"1234:/etc/hosts", {Process(1234), "/etc/hosts"}},
      {"1234:etc/hosts", {Process(1234), "etc/hosts"}},
      {"1234", {Process(1234), "/"}},
      {"1234:", {Process(1234), "/"}},
      {"1234:5678", {Process(1234, 5678), "/"}},
      {"1234:/5678", {Process(1234), "/5678"}},
      {"1234:./5678", {Process(1234), "./5678"}},
      {"1234:5678/x", {Process(1234), "5678/x"}},
      {"1234:5678:", {Process(1234, 5678), "/"}},
      {"1234:5678:90", {Process(1234, 5678), "90"}},
      {"pid:1234:5678:/x", {Process(1234, 5678), "/x"}},
      // The path has a colon of its own, which needs no escape.
      {"1234:/a:b", {Process(1234), "/a:b"}},
      {R"(1234:/a\x3ab\\\x0a)", {Process(1234), "/a:b\\\n"}},
      {"1234:\xff", {Process(1234), "\xff"}},
      {"mnt:[4026531841]:/etc", {Of(NamespaceType::kMnt, 4026531841), "/etc"}},
      {"mnt:4026531841:etc", {Of(NamespaceType::kMnt, 4026531841), "etc"}},
      {"mnt:4026531841:5", {Of(NamespaceType::kMnt, 4026531841), "5"}},
      {"pid:4026531836:/x", {Of(NamespaceType::kPid, 4026531836), "/x"}},
      {"container:web:/etc:x", {ContainerTarget{"", "web"}, "/etc:x"}},
      {"docker/web:etc", {ContainerTarget{"docker", "web"}, "etc"}},
      {"docker:12/web:/etc", {ContainerTarget{"docker:12", "web"}, "/etc"}},
      {"deadbeef0123:/etc", {ContainerIdTarget{"deadbeef0123"}, "/etc"}},
      {"/run/x.mnt:/etc", {PathTarget{"/run/x.mnt"}, "/etc"}},
      {R"(./a\x3ab:c)", {PathTarget{"./a:b"}, "c"}},
      {"/proc/7/fd/3", {PathTarget{"/proc/7/fd/3"}, "/"}},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ParseTargetPath(c.argument), IsOkAndHolds(c.expected)) << c.argument;
  }
}

TEST(ParseTargetPath, SaysWhatIsWrong) {
  for (const char* argument :
       {"", ":/etc", "web:/etc", R"(1234:/a\)", R"(1234:/a\x00)", "net::/x"}) {
    EXPECT_TRUE(IsUsageError(ParseTargetPath(argument).status())) << argument;
  }
}

}  // namespace
}  // namespace nsctl::cmd
