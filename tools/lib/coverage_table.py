#!/usr/bin/env python3
"""Prints how many of their lines were run of some files in an llvm-cov export.

    coverage_table.py TARGET FILE... <JSON   as `llvm-cov export -summary-only` writes it

A FILE that is not in the export had none of its code linked in.
"""

import json
import os
import sys


def main():
    target, *wanted = sys.argv[1:]
    data = json.load(sys.stdin)["data"][0]
    rows = []
    for file in data["files"]:
        lines = file["summary"]["lines"]
        # Relative to the folder of the build, which is the checkout's top.
        name = os.path.normpath(file["filename"])
        if name in wanted:
            rows.append((name, lines["covered"], lines["count"]))
    rows.sort()
    if not rows:
        sys.exit("coverage_table.py: %s: no lines of any of its files" % target)
    total = ("total", sum(row[1] for row in rows), sum(row[2] for row in rows))
    print("%s:" % target)
    for name, covered, count in rows + [total]:
        print("  %-40s %5d of %5d lines %6.1f %%" % (
            name, covered, count, 100.0 * covered / count if count else 100.0))
    for name in sorted(set(wanted) - {row[0] for row in rows}):
        print("  %-40s no code of it is used" % name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
