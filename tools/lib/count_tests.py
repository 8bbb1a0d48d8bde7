#!/usr/bin/env python3
"""Counts the test cases of a `bazel test`.

    count_tests.py EVENTS STATUS

EVENTS is what --build_event_json_file wrote, STATUS the exit status of Bazel.
Prints the cases that failed, the reasons of those that were skipped, and, last,
"N passed, N failed, N skipped". Fails if a case failed or none ran. Results
that Bazel took from its cache count like the others.
"""

import collections
import json
import re
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

# What Bazel calls a test target that did its work.
_PASSED = "PASSED"

# Bazel's exit statuses that say no more than the results themselves: done, a
# test failed, no test among the targets.
_PLAIN_STATUSES = (0, 3, 4)


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = collections.Counter()

    def add_target(self, label, status, xml):
        """Adds the cases of one run of one target; xml is its log or None."""
        failed_before = len(self.failed)
        try:
            root = ElementTree.fromstring(xml or b"")
            log = root.findtext(".//system-out") or ""
            if "[==========] Running " in log and not re.search(
                    r"^\[==========\] .* ran\.", log, re.MULTILINE):
                self._add_unfinished(label, log)
            else:
                for case in root.iter("testcase"):
                    self._add_case(label, case)
        except ElementTree.ParseError:
            # A test that was killed leaves no log, or half of one.
            self.failed.append("%s: no test log (%s)" % (label, status))
        if status != _PASSED and len(self.failed) == failed_before:
            self.failed.append("%s: %s" % (label, status))

    def _add_unfinished(self, label, log):
        """Adds the cases of a GoogleTest program that did not reach its end.

        It wrote no XML; Bazel put what it printed into one of its own making,
        with the program as its only case, passed if the exit status was 0.
        """
        running = None
        for line in log.splitlines():
            match = re.match(r"\[ *(RUN|OK|FAILED|SKIPPED) *\] ([\w./]+)", line)
            if not match:
                continue
            what, name = match.groups()
            if what == "RUN":
                running = name
            elif name == running:
                running = None
                if what == "OK":
                    self.passed += 1
                elif what == "SKIPPED":
                    self.skipped["see the log of " + label] += 1
                else:
                    self.failed.append("%s: %s" % (label, name))
        self.failed.append("%s: %s did not come to an end"
                           % (label, running or "the program"))

    def _add_case(self, label, case):
        name = ".".join(filter(None, [
            case.get("classname"), case.get("name")]))
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed.append("%s: %s" % (label, name))
        elif skipped is not None or case.get("status") == "notrun":
            reason = skipped.get("message", "") if skipped is not None else ""
            # GoogleTest's message is "FILE:LINE" and the text below it.
            lines = [line.strip() for line in reason.splitlines()]
            self.skipped[" ".join(filter(None, lines[1:])) or "disabled"] += 1
        else:
            self.passed += 1


def read_events(path):
    """What the event file says of each test target.

    Returns the labels of all test targets, and {(label, run, shard): (attempt,
    status, URI of test.xml or None)} with the last attempt of each.
    """
    labels = []
    results = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            event_id = event.get("id", {})
            if "targetConfigured" in event_id:
                # Only test targets have a size.
                if event.get("configured", {}).get("testSize"):
                    labels.append(event_id["targetConfigured"]["label"])
            elif "testResult" in event_id and "testResult" in event:
                which = event_id["testResult"]
                result = event["testResult"]
                key = (which["label"], which.get("run", 1),
                       which.get("shard", 1))
                attempt = which.get("attempt", 1)
                if attempt >= results.get(key, (0,))[0]:
                    uris = [output.get("uri")
                            for output in result.get("testActionOutput", [])
                            if output.get("name") == "test.xml"]
                    results[key] = (attempt, result.get("status", "NO_STATUS"),
                                    uris[0] if uris else None)
    return labels, results


def read_uri(uri):
    if uri is None:
        return None
    try:
        path = urllib.request.url2pathname(urllib.parse.urlparse(uri).path)
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def main():
    labels, results = read_events(sys.argv[1])
    counts = Counts()
    for (label, _, _), (_, status, uri) in sorted(results.items()):
        counts.add_target(label, status, read_uri(uri))
    with_results = {label for label, _, _ in results}
    for label in sorted(set(labels) - with_results):
        counts.failed.append("%s: was not built or did not run" % label)

    bazel_status = int(sys.argv[2])
    if bazel_status not in _PLAIN_STATUSES and not counts.failed:
        counts.failed.append("the build (bazel: status %d)" % bazel_status)

    for line in counts.failed:
        print("failed: %s" % line)
    for reason, number in sorted(counts.skipped.items()):
        print("skipped: %d for: %s" % (number, reason))
    skipped = sum(counts.skipped.values())
    none_ran = counts.passed == 0 and not counts.failed
    if none_ran:
        print("no test ran", file=sys.stderr)
    print("%d passed, %d failed, %d skipped"
          % (counts.passed, len(counts.failed), skipped))
    return 1 if counts.failed or none_ran else 0


if __name__ == "__main__":
    sys.exit(main())
