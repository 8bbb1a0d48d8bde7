#!/usr/bin/env python3
"""Runs tests of real engines in Debians of other suites, and counts their cases.

    suite_tests.py --tests=DIR --scratch=DIR --results=DIR --cgroups=v1,v2 SUITE=ROOT...

Every program below --tests runs once in each ROOT with each version of cgroups.
What it printed stays in RESULTS/SUITE-VERSION. The last line is "N passed,
N failed, N skipped".
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

import count_tests

# As much as a loaded machine may take for one program.
TIMEOUT_SECONDS = 900

_CGROUP = "/sys/fs/cgroup"
_ENTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "enter_suite")


def missing(version):
    """Why nothing can run with this version of cgroups, or None."""
    if version == "v2":
        with open("/proc/filesystems", encoding="ascii") as file:
            known = "\tcgroup2\n" in file.read()
        return None if known else "cgroup v2: this kernel has none"
    # Engines go by the devices of version 1; a machine of version 2 has no such.
    if os.path.isdir(os.path.join(_CGROUP, "devices")):
        return None
    return "cgroup v1: this machine has version 2 alone"


def programs(folder):
    """The paths of all programs below the folder, relative to it, in order."""
    found = []
    for path, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(path, name), folder) for name in names]
    return sorted(found)


def run_one(program, root, version, options, log):
    """Runs one program; its status in Bazel's words, and its log as XML or None."""
    scratch = os.path.join(options.scratch, "run")
    out = os.path.join(scratch, "out")
    os.makedirs(out)
    shutil.copy(os.path.join(options.tests, program), os.path.join(out, "test"))
    command = [_ENTER, root, scratch, version, "/usr/bin/env", "-i",
               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
               "TEST_TMPDIR=/tmp", "GTEST_OUTPUT=xml:/out/test.xml", "/out/test"]
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = "PASSED" if process.wait(TIMEOUT_SECONDS) == 0 else "FAILED"
        except subprocess.TimeoutExpired:
            status = "TIMEOUT"
        finally:
            # With the session's processes the command's namespaces end.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    try:
        with open(os.path.join(out, "test.xml"), "rb") as file:
            xml = file.read()
    except OSError:
        xml = None
    shutil.rmtree(scratch)
    return status, xml


def run(suite, root, version, options):
    """The Counts of one suite with one version of cgroups."""
    counts = count_tests.Counts()
    reason = missing(version)
    if reason:
        counts.skipped[reason] += 1
        return counts
    folder = os.path.join(options.results, "%s-%s" % (suite, version))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for program in programs(options.tests):
        log = os.path.join(folder, program.replace("/", "_") + ".log")
        status, xml = run_one(program, root, version, options, log)
        counts.add_target("//%s:%s" % os.path.split(program), status, xml)
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", required=True)
    parser.add_argument("--scratch", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--cgroups", required=True)
    parser.add_argument("roots", nargs="+", metavar="SUITE=ROOT")
    options = parser.parse_args()

    def stop(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)

    passed = failed = skipped = 0
    for one in options.roots:
        suite, root = one.split("=", 1)
        for version in options.cgroups.split(","):
            start = time.monotonic()
            counts = run(suite, root, version, options)
            skips = sum(counts.skipped.values())
            print("%s, cgroup %s: %d passed, %d failed, %d skipped (%d s)" % (
                suite, version, counts.passed, len(counts.failed), skips,
                time.monotonic() - start), flush=True)
            for sentence in counts.failed:
                print("  failed: " + sentence, flush=True)
            for reason, number in sorted(counts.skipped.items()):
                print("  skipped: %d for: %s" % (number, reason), flush=True)
            passed += counts.passed
            failed += len(counts.failed)
            skipped += skips
    if failed:
        print("logs: " + options.results)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
