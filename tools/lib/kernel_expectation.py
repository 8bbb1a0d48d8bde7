"""What nsctl must say on a kernel, and what it said there.

testing/kernels/scene.expected and features.expected hold what must be; the
results of testing/kernels/init are what was.
"""

import json
import os
import re


def version(series):
    """"6.12" as something that can be compared."""
    return tuple(int(number) for number in series.split("."))


def applies(condition, series):
    """Whether "always", "from 6.12", "before 6.12", "6.16" or several of those, each
    after "and" or "except", hold for a series."""
    holds = True
    for part in re.split(r" (?=and |except )", condition):
        word, _, rest = part.partition(" ")
        wanted = word != "except"
        if word in ("and", "except"):
            word, _, rest = rest.partition(" ")
        if word == "always":
            this = True
        elif word == "from":
            this = version(series) >= version(rest)
        elif word == "before":
            this = version(series) < version(rest)
        else:
            this = version(series) == version(word)
        holds = holds and this == wanted
    return holds


def _lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line and not line.startswith("#"):
                yield line


def expected_scene(path, series):
    """{"LABEL TYPE": facts}; what stands below a [condition] that holds replaces what
    stands above."""
    facts = {}
    active = True
    for line in _lines(path):
        if line.startswith("["):
            active = applies(line.strip("[]"), series)
        elif active:
            label, kind, rest = (line.split(" ", 2) + [""])[:3]
            facts[label + " " + kind] = rest
    return facts


def expected_features(path, series):
    """{name: "available" or "missing"}"""
    features = {}
    for line in _lines(path):
        name, condition = re.split(r": ", line, maxsplit=1)
        features[name] = "available" if applies(condition, series) else "missing"
    return features


def found_scene(truth, snapshot):
    """What a snapshot says of what the scene has made: as expected_scene."""
    labels = {}
    for line in truth.splitlines():
        words = line.split()
        if len(words) == 3:
            labels[words[1], int(words[2])] = words[0]
    found = {"%s %s" % (label, kind): "not found" for (kind, _), label in labels.items()}
    others = {}
    users = {ns["inode"]: ns for ns in snapshot["namespaces"] if ns["type"] == "user"}

    def name(kind, inode):
        if inode is None:
            return None
        if (kind, inode) in labels:
            return labels[kind, inode]
        initial = users.get(inode, {}).get("initial") if kind == "user" else inode == 0xEFFFFFFC
        return "initial" if initial else "another"

    for ns in snapshot["namespaces"]:
        kind = ns["type"]
        if ns.get("initial"):
            found["initial " + kind] = ""
            continue
        label = labels.get((kind, ns["inode"]))
        if label is None:
            others[kind] = others.get(kind, 0) + 1
            continue
        facts = [("processes", ns.get("process_count")),
                 ("threads", len(ns.get("loose_threads", []))),
                 ("for-children-of", len(ns.get("for_children_of", []))),
                 ("fds", ns.get("fd_count")), ("sockets", ns.get("socket_count")),
                 ("bind-mounts", ns.get("bind_mount_count")),
                 ("owner", name("user", ns.get("owner"))),
                 ("parent", name(kind, ns.get("parent"))),
                 ("dark", "yes" if ns.get("dark") else None)]
        found["%s %s" % (label, kind)] = " ".join("%s=%s" % fact for fact in facts if fact[1])
    for kind, count in others.items():
        found["others " + kind] = "count=%d" % count
    return found


def found_features(report):
    """What `nsctl doctor -o json` says of the kernel's features."""
    return {check["name"]: check["value"].split(" ")[0]
            for check in report["checks"] if check["group"] == "features"}


def differences(what, expected, found):
    """Sentences, one for each key that differs."""
    for key in sorted(set(expected) | set(found)):
        if expected.get(key) != found.get(key):
            yield "%s %s: %s, expected %s" % (
                what, key, repr(found[key]) if key in found else "not there",
                repr(expected[key]) if key in expected else "nothing")


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = 0

    def compare(self, what, expected, found):
        wrong = list(differences(what, expected, found))
        self.failed += wrong
        self.passed += len(set(expected) | set(found)) - len(wrong)

    def add_test_log(self, program, log, status):
        """The log of a GoogleTest program."""
        before = len(self.failed)
        for line in log.splitlines():
            match = re.match(r"\[ *(OK|FAILED|SKIPPED) *\] ([\w./]+)(?:, where .*)? \(", line)
            if not match:
                continue
            if match[1] == "OK":
                self.passed += 1
            elif match[1] == "SKIPPED":
                self.skipped += 1
            else:
                self.failed.append("%s: %s" % (program, match[2]))
        if status != 0 and len(self.failed) == before:
            running = re.findall(r"^\[ RUN +\] (\S+)", log, re.MULTILINE)
            self.failed.append("%s: status %d at %s" % (program, status,
                                                        running[-1] if running else "its start"))


def judge(results, folder, series):
    """The Counts of one kernel: `results` is a folder with what testing/kernels/init left,
    `folder` has the expectations."""
    counts = Counts()

    def text(name):
        path = os.path.join(results, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    for name in sorted(os.listdir(results)):
        if name.endswith(".status"):
            program = name[:-len(".status")]
            status = int(text(name))
            if program in ("scene", "snapshot", "doctor"):
                if status != 0:
                    counts.failed.append("%s: status %d: %s" % (
                        program, status, text(program + ".err").strip()))
            else:
                counts.add_test_log(program, text(program + ".log"), status)
    if text("snapshot.json") and text("doctor.json"):
        counts.compare("scene:", expected_scene(os.path.join(folder, "scene.expected"), series),
                       found_scene(text("truth"), json.loads(text("snapshot.json"))))
        counts.compare("feature", expected_features(os.path.join(folder, "features.expected"),
                                                    series),
                       found_features(json.loads(text("doctor.json"))))
    return counts
