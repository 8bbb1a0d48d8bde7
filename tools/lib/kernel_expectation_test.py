#!/usr/bin/env python3
"""Test of kernel_expectation.py."""

import json
import os
import tempfile
import unittest

import kernel_expectation
from kernel_expectation import applies

SCENE = """
# A comment.
initial net
held net fds=1 owner=initial
[before 6.12]
held net not found
[from 6.19]
held net fds=1 owner=initial dark=yes
"""
FEATURES = """
listns: from 6.19
pidfd_open: always
mnt_id_req.mnt_ns_fd: from 6.12 except 6.16
"""
SNAPSHOT = {"namespaces": [
    {"type": "user", "inode": 4026531837, "initial": True},
    {"type": "net", "inode": 4026531840, "initial": True, "owner": 4026531837},
    {"type": "net", "inode": 17, "owner": 4026531837, "fd_count": 1},
    {"type": "mnt", "inode": 18},
    {"type": "pid", "inode": 19, "parent": 0xEFFFFFFC, "loose_threads": [3, 4], "dark": True}]}


class KernelExpectationTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("scene.expected", SCENE)
        self.write("features.expected", FEATURES)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_conditions(self):
        for condition, series, expected in [
                ("always", "5.10", True), ("from 6.12", "6.12", True), ("from 6.12", "6.2", False),
                ("from 6.12", "7.0", True), ("before 6.12", "5.10", True),
                ("before 6.12", "6.12", False), ("6.16", "6.16", True), ("6.16", "6.1", False),
                ("from 6.12 except 6.16", "6.16", False), ("from 6.12 except 6.16", "6.17", True),
                ("from 6.12 and before 7.0", "7.0", False)]:
            with self.subTest(condition=condition, series=series):
                self.assertEqual(applies(condition, series), expected)

    def test_later_sections_replace(self):
        def facts(series):
            return kernel_expectation.expected_scene(self.path("scene.expected"), series)
        self.assertEqual(facts("5.10"), {"initial net": "", "held net": "not found"})
        self.assertEqual(facts("6.12")["held net"], "fds=1 owner=initial")
        self.assertEqual(facts("6.19")["held net"], "fds=1 owner=initial dark=yes")

    def test_features(self):
        self.assertEqual(
            kernel_expectation.expected_features(self.path("features.expected"), "6.16"),
            {"listns": "missing", "pidfd_open": "available", "mnt_id_req.mnt_ns_fd": "missing"})

    def test_facts_of_a_snapshot(self):
        truth = "held net 17\nlost uts 20\nloose pid 19\nready\n"
        self.assertEqual(kernel_expectation.found_scene(truth, SNAPSHOT), {
            "initial user": "", "initial net": "", "held net": "fds=1 owner=initial",
            "lost uts": "not found", "loose pid": "threads=2 parent=initial dark=yes",
            "others mnt": "count=1"})

    def test_differences_name_both_sides(self):
        self.assertEqual(
            list(kernel_expectation.differences("x", {"a": "1", "b": "2"}, {"a": "1", "c": "3"})),
            ["x b: not there, expected '2'", "x c: '3', expected nothing"])

    def test_logs(self):
        counts = kernel_expectation.Counts()
        counts.add_test_log("a", "[       OK ] A.One (3 ms)\n[  SKIPPED ] A.Two (0 ms)\n"
                            "[  FAILED  ] A.Three/0, where GetParam() = 4 (1 ms)\n"
                            "[  FAILED  ] A.Three/0, where GetParam() = 4\n", 1)
        counts.add_test_log("b", "[ RUN      ] B.One\n", 137)
        self.assertEqual((counts.passed, counts.skipped), (1, 1))
        self.assertEqual(counts.failed, ["a: A.Three/0", "b: status 137 at B.One"])

    def test_judges_a_folder_of_results(self):
        results = self.path("results")
        os.mkdir(results)
        self.write("results/truth", "held net 17\nready\n")
        self.write("results/snapshot.json", json.dumps(
            {"namespaces": SNAPSHOT["namespaces"][1:3]}))
        self.write("results/doctor.json", json.dumps({"checks": [
            {"group": "features", "name": "pidfd_open", "value": "available"},
            {"group": "features", "name": "listns", "value": "missing (ENOSYS)"},
            {"group": "features", "name": "mnt_id_req.mnt_ns_fd", "value": "available"},
            {"group": "caller", "name": "seccomp", "value": "off"}]}))
        self.write("results/snapshot.status", "0\n")
        self.write("results/doctor.status", "7\n")
        self.write("results/doctor.err", "broken\n")
        counts = kernel_expectation.judge(results, self.folder.name, "6.12")
        # The owner is not in the snapshot.
        self.assertEqual(counts.failed, [
            "doctor: status 7: broken",
            "scene: held net: 'fds=1 owner=another', expected 'fds=1 owner=initial'"])
        self.assertEqual(counts.passed, 4)


if __name__ == "__main__":
    unittest.main()
