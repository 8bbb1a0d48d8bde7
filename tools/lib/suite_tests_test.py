#!/usr/bin/env python3
"""Test of suite_tests.py."""

import argparse
import os
import tempfile
import unittest
from unittest import mock

import suite_tests

# Runs the program where it is.
ENTER = """#!/bin/sh
echo "$1 $3"
exec "$2/out/test" "$2/out"
"""
XML = """<testsuites><testsuite name="T"><testcase name="A" status="run" classname="T"/>
<testcase name="B" status="run" classname="T">%s</testcase></testsuite></testsuites>"""
WRITES = "#!/bin/sh\ncat >$1/test.xml <<'END'\n%s\nEND\nexit %d\n"


class SuiteTestsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("enter", ENTER)
        self.options = argparse.Namespace(
            tests=self.path("tests"), scratch=self.path("scratch"), results=self.path("results"))
        for name, value in (("_ENTER", self.path("enter")), ("_CGROUP", self.path("cgroup"))):
            patch = mock.patch.object(suite_tests, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        os.makedirs(self.path("cgroup/devices"))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def test_counts_cases_of_all_programs(self):
        self.write("tests/engines/a_test", WRITES % (XML % '<skipped message="f:1&#10;no lxc"/>', 0))
        self.write("tests/engines/docker/b_test", WRITES % (XML % '<failure message="no"/>', 1))

        counts = suite_tests.run("sid", "/root-of-sid", "v1", self.options)

        self.assertEqual(counts.passed, 2)
        self.assertEqual(counts.failed, ["//engines/docker:b_test: T.B"])
        self.assertEqual(counts.skipped, {"no lxc": 1})
        with open(self.path("results/sid-v1/engines_a_test.log"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "/root-of-sid v1\n")
        self.assertEqual(os.listdir(self.path("scratch")), [])

    def test_program_that_ends_early_has_failed(self):
        self.write("tests/engines/a_test", "#!/bin/sh\nkill -9 $$\n")

        counts = suite_tests.run("sid", "/", "v2", self.options)

        self.assertEqual(counts.failed, ["//engines:a_test: no test log (FAILED)"])

    def test_program_without_end_is_ended(self):
        self.write("tests/engines/a_test", "#!/bin/sh\necho $$ >%s\nsleep 1000\n" % self.path("pid"))

        with mock.patch.object(suite_tests, "TIMEOUT_SECONDS", 1):
            counts = suite_tests.run("sid", "/", "v2", self.options)

        self.assertEqual(counts.failed, ["//engines:a_test: no test log (TIMEOUT)"])
        with open(self.path("pid"), encoding="ascii") as file:
            self.assertFalse(os.path.exists("/proc/" + file.read().strip()))

    def test_says_which_cgroups_are_missing(self):
        os.rmdir(self.path("cgroup/devices"))

        counts = suite_tests.run("sid", "/", "v1", self.options)

        self.assertEqual(counts.skipped, {"cgroup v1: this machine has version 2 alone": 1})
        self.assertEqual(counts.failed, [])


if __name__ == "__main__":
    unittest.main()
