#!/usr/bin/env python3
"""The rules of the house that a pattern can see.

    house_rules.py ROOT <FILES   FILES: paths below ROOT, each ended by a NUL

Prints "FILE:LINE: what is wrong" for each violation and fails if there is one.
Before it looks at FILES, every rule must find the violations planted for it and
let pass what is written beside them; a rule that has gone blind fails as well.

A violation that is meant is marked on its line or in the comment above it with
NSCTL_ALLOW(rule): and the reason.
"""

import os
import re
import sys
import tempfile

# Who may include whom. Tests may include testing/ as well.
LAYERS = {
    "base": {"base"},
    "procfsroot": {"base", "procfsroot"},
    "mounttree": {"base", "procfsroot", "mounttree"},
    "engines": {"base", "procfsroot", "engines"},
    "nsdisc": {"base", "procfsroot", "mounttree", "nsdisc"},
    "nsentry": {"base", "procfsroot", "nsentry"},
    "cmd": {"base", "procfsroot", "mounttree", "nsentry", "engines", "nsdisc", "cmd"},
}

# What nsdisc knows of containers: the value type.
_CONTAINER_TYPE = re.compile(r"engines/container(\.pb)?\.h|//engines:container(_\w+)?")

_LIBRARIES = set(LAYERS) - {"cmd"}


class SourceFile:
    """A path and its text, with what the rules ask about both."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")
        self.name = os.path.basename(path)
        self.layer = path.split("/")[0] if "/" in path else ""
        self.is_cpp = path.endswith((".h", ".cc"))
        self.is_test = (
            path.endswith(("_test.cc", "_fuzz.cc", "_benchmark.cc", "_fixture.h", "_fixture.cc"))
            or self.layer in ("testing", "fuzz", "bench")
            or self.name.startswith(("test_", "fake_"))
            or "_test_" in self.name)
        self.is_test_data = re.search(r"/(testdata|corpus|recorded)/", path) is not None

    def code_lines(self):
        """(line number, line without a // comment), of C++ files."""
        for number, line in enumerate(self.lines, 1):
            # "://" is in a URL, which is in a string.
            yield number, re.sub(r"(?<!:)//.*", "", line)

    def allowed(self, rule, number):
        # On the line itself or in the comment above it.
        mark = "NSCTL_ALLOW(%s): " % rule
        first = number - 1
        while first > 0 and self.lines[first - 1].lstrip().startswith(("//", "#")):
            first -= 1
        return any(mark in line for line in self.lines[first:number])


def code_matches(file, pattern):
    return [number for number, line in file.code_lines() if re.search(pattern, line)]


def header_guard(file):
    if not file.path.endswith(".h"):
        return []
    guard = "NSCTL_%s_" % re.sub(r"\W", "_", file.path).upper()
    directives = [(number, line.strip()) for number, line in file.code_lines()
                  if line.startswith("#")]
    wanted = ["#ifndef " + guard, "#define " + guard]
    if [line for _, line in directives[:2]] == wanted:
        return []
    return [directives[0][0] if directives else 1]


def proc_literal(file):
    if not file.is_cpp or file.is_test or file.layer not in LAYERS:
        return []
    if file.layer == "procfsroot":
        return []
    return code_matches(file, r'"/proc(/|")')


def layering(file):
    if file.layer not in LAYERS:
        return []
    may = LAYERS[file.layer]
    if file.is_cpp:
        names = re.finditer(r'#include "(?P<what>(?P<layer>[a-z_]+)/[^"]*)"', file.text)
        places = [(name, 0) for name in names]
        if file.is_test:
            may = may | {"testing"}
    elif file.name == "BUILD.bazel":
        # Visibility and package groups look the other way, so deps alone.
        places = [
            (name, deps.start(1))
            for deps in re.finditer(r"\bdeps\s*=[^\[\]]*\[([^\]]*)\]", file.text)
            for name in re.finditer(r'"(?P<what>//(?P<layer>[a-z_]+)[:/][^"]*)"', deps.group(1))
        ]
        # Tests and libraries stand together here; testonly keeps them apart.
        may = may | {"testing"}
    else:
        return []
    found = []
    for name, offset in places:
        layer = name["layer"]
        if layer not in set(LAYERS) | {"testing"} or layer in may:
            continue
        if file.layer == "nsdisc" and _CONTAINER_TYPE.fullmatch(name["what"]):
            continue
        found.append(file.text.count("\n", 0, offset + name.start()) + 1)
    return found


def using_namespace(file):
    return code_matches(file, r"\busing namespace\b") if file.is_cpp else []


def chdir(file):
    return code_matches(file, r"(?<![\w.>])f?chdir\s*\(") if file.is_cpp else []


def name_service(file):
    if not file.is_cpp or file.layer not in LAYERS:
        return []
    return code_matches(
        file,
        r"(?<![\w.>])(getpw(nam|uid|ent)|getgr(nam|gid|ent)|getaddrinfo|gethostby\w+"
        r"|getservby\w+|dlopen|setlocale|popen)(_r)?\s*\(|\bstd::locale\b"
        # Otherwise a variable that is declared.
        r"|(^\s*|[=(]\s*|::)system\s*\(")


def unfinished(file):
    # Put together, so that this file does not find itself.
    words = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"])
    if file.is_test_data:
        return []
    return [number for number, line in enumerate(file.lines, 1)
            if re.search(r"\b(%s)\b" % words, line)]


def machine_path(file):
    if file.is_test_data:
        return []
    folders = ["wo" + "rk", "tmp/bash" + "_jobs"]
    if not file.is_test:
        # Tests have users and their folders as data.
        folders += ["ho" + "me", "ro" + "ot"]
    # A path below /proc/PID/root is none: something stands before its slash.
    folders = "|".join(folders)
    return [number for number, line in enumerate(file.lines, 1)
            if re.search(r"(?<![\w.}\])>*%%-])/(%s)/" % folders, line)]


def close_on_exec(file):
    if not file.is_cpp:
        return []
    found = code_matches(
        file, r"(?<![\w.>:])(?:::)?(pipe|dup|accept|inotify_init|epoll_create|creat)\s*\(")
    code = "\n".join(line for _, line in file.code_lines())
    calls = {
        r"open(at)?": "O_CLOEXEC",
        r"socket(pair)?": "SOCK_CLOEXEC",
        r"eventfd": "EFD_CLOEXEC",
        r"memfd_create": "MFD_CLOEXEC",
    }
    for call, flag in calls.items():
        # To the end of the statement, which may be on another line; only calls
        # that name a flag or are certainly the system's are looked at.
        for match in re.finditer(r"(?<![\w.>:])(?:::)?%s\s*\([^;{}]*" % call, code):
            statement = match.group(0)
            prefix = flag.split("_")[0] + "_"
            if prefix in statement and flag not in statement:
                found.append(code.count("\n", 0, match.start()) + 1)
    return found


def build_file_name(file):
    return [1] if file.name == "BUILD" else []


def source_glob(file):
    if file.name != "BUILD.bazel":
        return []
    return [
        file.text.count("\n", 0, match.start()) + 1
        for match in re.finditer(r"\bglob\s*\([^)]*\)", file.text)
        if not re.search(r"testdata|corpus|recorded", match.group(0))
    ]


def library_manners(file):
    if not file.is_cpp or file.is_test or file.layer not in _LIBRARIES:
        return []
    return code_matches(
        file,
        r"\bstd::(cout|cerr|clog)\b|\bABSL_FLAG\b"
        r"|(?<![\w.>])(v?f?printf|puts|perror|getenv|secure_getenv|exit)\s*\(")


def file_size(file):
    limit = 500
    if not file.is_cpp or len(file.lines) <= limit:
        return []
    # The reason may stand anywhere in the file.
    return [] if "NSCTL_ALLOW(file-size): " in file.text else [limit]


class Rule:
    def __init__(self, name, find, sentence, planted, fine):
        self.name = name
        self.find = find
        self.sentence = sentence
        self.planted = planted
        self.fine = fine

    def violations(self, file):
        return [number for number in sorted(set(self.find(file)))
                if not file.allowed(self.name, number)]


RULES = [
    Rule(
        "header-guard", header_guard,
        "the header guard must be NSCTL_, the path in capitals, and _",
        planted=[("base/text.h", "#ifndef TEXT_H\n#define TEXT_H\n#endif\n"),
                 ("base/once.h", "#pragma " + "once\n")],
        fine=[("base/text.h",
               "// Text.\n\n#ifndef NSCTL_BASE_TEXT_H_\n#define NSCTL_BASE_TEXT_H_\n#endif\n")]),
    Rule(
        "proc-literal", proc_literal,
        "files below /proc are reached through procfsroot::Procfs, not by a path",
        planted=[("nsdisc/a.cc", 'Open("/proc/self/ns/net");\n'),
                 ("cmd/b.cc", 'const char kProc[] = "/proc";\n')],
        fine=[("procfsroot/a.cc", 'Open("/proc");\n'),
              ("nsdisc/a_test.cc", 'Open("/proc/self");\n'),
              ("nsdisc/c.cc", '// Reads "/proc/1/stat".\nHelp("below /proc");\n')]),
    Rule(
        "layering", layering,
        "this layer must not know that one: base <- procfsroot <- mounttree <- nsdisc <- cmd, "
        "procfsroot <- nsentry <- cmd, engines <- cmd, and of engines only engines:container in nsdisc",
        planted=[("base/a.cc", '#include "procfsroot/procfs.h"\n'),
                 ("engines/docker/a.h", '#include "nsdisc/discover.h"\n'),
                 ("nsdisc/a.cc", '#include "engines/docker/client.h"\n'),
                 ("nsdisc/b.cc", '#include "testing/fixture.h"\n'),
                 ("nsentry/b.cc", '#include "mounttree/mountinfo.h"\n'),
                 ("mounttree/BUILD.bazel", 'deps = ["//nsdisc:discover"],\n')],
        fine=[("nsdisc/a.cc", '#include "engines/container.pb.h"\n'),
              ("nsentry/a.cc", '#include "procfsroot/procfs.h"\n'),
              ("nsdisc/a_test.cc", '#include "testing/fixture.h"\n'),
              ("cmd/a.cc", '#include "nsdisc/discover.h"\n'),
              ("base/BUILD.bazel", 'packages = ["//nsdisc/..."],\n')]),
    Rule(
        "using-namespace", using_namespace,
        "a whole namespace is never imported",
        planted=[("cmd/a.cc", "using namespace std;\n")],
        fine=[("cmd/a.cc", "using ::testing::Eq;  // not using namespace testing\n")]),
    Rule(
        "chdir", chdir,
        "the current directory belongs to the whole process; use a directory fd",
        planted=[("procfsroot/a.cc", 'if (::chdir("/") != 0) return;\n'),
                 ("procfsroot/b.cc", "fchdir(fd);\n")],
        fine=[("procfsroot/a.cc", "// Without chdir(2).\n"),
              ("procfsroot/b.cc",
               "// NSCTL_ALLOW(chdir): the child of exec only.\nfchdir(fd);\n")]),
    Rule(
        "name-service", name_service,
        "name services, locales and plugins would be loaded out of a foreign root",
        planted=[("cmd/a.cc", "passwd* entry = getpwuid(uid);\n"),
                 ("engines/b.cc", "getaddrinfo(host, port, &hints, &list);\n"),
                 ("base/c.cc", "std::locale::global(l);\n"),
                 ("cmd/d.cc", 'if (std::system("ls") != 0) return;\n')],
        fine=[("cmd/a.cc", "ReadPasswd(uid); FakeSystem system(1);\n")]),
    Rule(
        "unfinished", unfinished,
        "what is not done is written down elsewhere than in the code",
        planted=[("base/a.cc", "// TO" + "DO: later\n"),
                 ("docs/a.md", "FIX" + "ME\n")],
        fine=[("base/a.cc", "// mktemp's XX" + "XXXX\n")]),
    Rule(
        "machine-path", machine_path,
        "this path exists on one machine only",
        planted=[("tools/a", "cd /ro" + "ot/nsctl\n"),
                 ("docs/a.md", "See `/ho" + "me/me/nsctl`.\n")],
        fine=[("docs/a.md", "/proc/1/root/etc and PATH/work/x\n"),
              ("nsdisc/testdata/a.txt", "/ho" + "me/user /x\n")]),
    Rule(
        "close-on-exec", close_on_exec,
        "every descriptor is close-on-exec from its first moment",
        planted=[("base/a.cc", "int fd = ::open(path, O_RDONLY);\n"),
                 ("base/b.cc", "int fd = openat(dir, path,\n                O_PATH);\n"),
                 ("base/c.cc", "pipe(fds);\n"),
                 ("base/d.cc", "socket(AF_UNIX, SOCK_STREAM, 0);\n")],
        fine=[("base/a.cc", "int fd = openat(dir, path,\n                O_PATH | O_CLOEXEC);\n"),
              ("base/b.cc", "file.open(path, O_RDONLY); pipe2(fds, O_CLOEXEC);\n"),
              ("base/c.cc", "::open(path, flags);\n")]),
    Rule(
        "build-file-name", build_file_name,
        "build files are named BUILD.bazel",
        planted=[("base/BUILD", "\n")],
        fine=[("base/BUILD.bazel", "\n")]),
    Rule(
        "source-glob", source_glob,
        "sources are listed one by one; only test data may be globbed",
        planted=[("base/BUILD.bazel", 'srcs = glob(["*.cc"]),\n')],
        fine=[("base/BUILD.bazel", 'data = glob([\n    "testdata/*",\n]),\n')]),
    Rule(
        "library-manners", library_manners,
        "a library does not print, read the environment or end the process",
        planted=[("nsdisc/a.cc", 'std::fprintf(stderr, "x");\n'.replace("std::", "")),
                 ("base/b.cc", "std::cerr << 1;\n"),
                 ("engines/c.cc", 'std::string home = getenv("HOME");\n')],
        fine=[("nsdisc/a.cc", 'snprintf(buffer, size, "x"); _exit(1);\n'),
              ("cmd/a.cc", "std::cerr << 1;\n")]),
    Rule(
        "file-size", file_size,
        "a file of more than 500 lines is split or says why it is not",
        planted=[("base/a.cc", "\n" * 501)],
        fine=[("base/a.cc", "// NSCTL_ALLOW(file-size): one table.\n" + "\n" * 501),
              ("base/b.cc", "\n" * 499)]),
]


def planted_file(folder, path, text):
    os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
    with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
        file.write(text)
    return SourceFile(folder, path)


def blind_rules():
    """Sentences about rules that miss what they should find, or the reverse."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for rule in RULES:
            for path, text in rule.planted:
                if not rule.violations(planted_file(folder, path, text)):
                    wrong.append("rule %s does not find what is planted in %s: %r"
                                 % (rule.name, path, text))
            for path, text in rule.fine:
                if rule.violations(planted_file(folder, path, text)):
                    wrong.append("rule %s finds fault with %s: %r" % (rule.name, path, text))
    return wrong


def main():
    root = sys.argv[1]
    paths = [path for path in sys.stdin.read().split("\0") if path]
    faults = blind_rules()
    for path in sorted(paths):
        # A link's target is looked at under its own name; a deleted file is
        # still listed until that is recorded.
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        file = SourceFile(root, path)
        for rule in RULES:
            faults += ["%s:%d: %s [%s]" % (path, number, rule.sentence, rule.name)
                       for number in rule.violations(file)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
