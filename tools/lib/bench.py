#!/usr/bin/env python3
"""The measuring part of tools/bench, which says what its options are."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys

import bench_report
from bench_report import Budget

WORLDS = ("start", "sleepers", "namespaces", "netns", "fds", "mounts", "engines", "growth",
          "library")


class Bench:
    """Runs worlds one after the other and collects what they show."""

    def __init__(self, folder, rounds):
        self.folder = folder
        self.rounds = rounds
        self.worlds = []
        self.budgets = []
        self.growth = []
        self.nsctl = os.path.join(folder, "cmd/nsctl")
        self.floor = os.path.join(folder, "bench/floor")

    def run(self, kind, count, commands, rounds=None):
        """{name: costs of each round} of the commands, run in a world of their own."""
        inside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_world.py")
        process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child",
             sys.executable, inside, self.folder, kind, str(count), str(rounds or self.rounds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            out, _ = process.communicate(json.dumps(commands).encode())
        except BaseException:
            # All that was made inside ends with it.
            process.kill()
            process.wait()
            raise
        if process.returncode != 0:
            sys.exit("tools/bench: measuring in the world %s %s failed" % (kind, count))
        costs = json.loads(out)
        self.worlds.append({"kind": kind, "count": count, "commands": costs})
        return costs

    def allow(self, *budget, **how):
        self.budgets.append(Budget(*budget, **how))

    def start(self):
        # Seven processes with what runs in the world anyway.
        costs = self.run("sleepers", 2, {"nsctl list": [self.nsctl, "list"],
                                         "nsctl snapshot": [self.nsctl, "snapshot", "-o", "pb"],
                                         "lsns": ["lsns"]}, rounds=5 * self.rounds)
        for name in ("nsctl list", "nsctl snapshot"):
            self.allow("start-up with 7 processes: " + name,
                       bench_report.median(costs[name], "wall_ms"), 3, "ms wall")

    def sleepers(self, count, of_lsns, most_memory):
        snapshot = [self.nsctl, "snapshot", "-o", "pb"]
        costs = self.run("sleepers", count, {
            "nsctl snapshot --tasks=none": snapshot + ["--tasks=none"],
            "nsctl snapshot --no-containers": snapshot + ["--tasks=none", "--no-containers"],
            "floor L5": [self.floor, "L5"],
            "nsctl snapshot --tasks=all": snapshot + ["--tasks=all"],
            "floor L5+tasks": [self.floor, "L5+tasks"],
            "nsctl list": [self.nsctl, "list"],
            "lsns --json": ["lsns", "--json"],
            "floor L1": [self.floor, "L1"]})

        def ratio(one, other):
            return bench_report.ratio(costs[one], costs[other], "cpu_ms")

        where = "%d processes: " % count
        self.allow(where + "snapshot without tasks / floor L5",
                   ratio("nsctl snapshot --tasks=none", "floor L5"), 1.3, "x CPU")
        # The floor looks for no engines.
        self.allow(where + "the same, engines not asked / floor L5",
                   ratio("nsctl snapshot --no-containers", "floor L5"), 1.3, "x CPU")
        self.allow(where + "snapshot with tasks / floor L5+tasks",
                   ratio("nsctl snapshot --tasks=all", "floor L5+tasks"), 1.3, "x CPU")
        self.allow(where + "list / lsns --json", ratio("nsctl list", "lsns --json"), of_lsns,
                   "x CPU")
        self.allow(where + "peak memory", max(
            bench_report.median(costs[name], "rss_kib") for name in costs
            if name.startswith("nsctl")) / 1024, most_memory, "MiB")

    def namespaces(self, count):
        whole = "nsctl snapshot --mounts"
        costs = self.run("namespaces", count, {
            whole: [self.nsctl, "snapshot", "-o", "pb", "--mounts"],
            "nsctl list": [self.nsctl, "list"],
            "lsns --json": ["lsns", "--json"],
            "floor L5": [self.floor, "L5"],
            "floor L5+mounts": [self.floor, "L5+mounts"]})
        where = "%d processes with net, mnt, uts of their own, all mounts: " % count
        self.allow(where + "CPU", bench_report.median(costs[whole], "cpu_ms"), 100, "ms")
        self.allow(where + "peak memory", bench_report.median(costs[whole], "rss_kib") / 1024, 48,
                   "MiB")

    def engines(self, count):
        """Three engines; what asking them adds is waiting, so wall time counts."""
        costs = self.run("engines", count, {
            "nsctl list": [self.nsctl, "list"],
            "nsctl list -c +CONTAINER": [self.nsctl, "list", "-c", "+CONTAINER"],
            "nsctl containers": [self.nsctl, "containers"]})
        base = bench_report.median(costs["nsctl list"], "wall_ms")
        for name in ("nsctl list -c +CONTAINER", "nsctl containers"):
            self.allow("3 engines, %d containers: %s beyond list" % (count, name),
                       bench_report.median(costs[name], "wall_ms") - base, 60, "ms wall")

    def compare(self, kind, count, words, other):
        """No budget, but to be seen beside each other."""
        self.run(kind, count, {"nsctl " + " ".join(words): [self.nsctl] + words,
                               " ".join(other): other})

    def grow(self, kind, counts, words):
        name = "nsctl " + " ".join(words)
        points = []
        for count in counts:
            costs = self.run(kind, count, {name: [self.nsctl] + words})
            points.append((count, bench_report.median(costs[name], "cpu_ms")))
        self.growth.append({"kind": kind, "command": name, "points": points,
                            "exponent": round(bench_report.exponent(points), 3)})
        what = "growth with %s, %s to %s: " % (kind, counts[0], counts[-1])
        self.allow(what + "exponent", bench_report.exponent(points),
                   round(bench_report.EXPONENT, 2))
        self.allow(what + "doubling", bench_report.doubling(points), bench_report.DOUBLING,
                   "x CPU")

    def google_benchmark(self, name, pattern):
        """{benchmark: its median as Google Benchmark reports it}"""
        out = subprocess.run(
            [os.path.join(self.folder, "bench", name), "--benchmark_filter=" + pattern,
             "--benchmark_format=json", "--benchmark_repetitions=5",
             "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.1"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        rows = json.loads(out)["benchmarks"]
        failed = [row["error_message"] for row in rows if row.get("error_occurred")]
        if failed:
            sys.exit("tools/bench: %s: %s" % (name, failed[0]))
        return {row["run_name"]: row for row in rows if row.get("aggregate_name") == "median"}

    def library(self):
        rows = self.google_benchmark("mounts_benchmark", r"BM_Parse<ParseRows>/10000")
        speed = min(row["bytes_per_second"] for row in rows.values()) / 1e6
        self.allow("mountinfo parsing, per core", speed, 400, "MB/s", at_least=True)
        rows = self.google_benchmark("resolve_benchmark", r"BM_Resolve(Links)?_(Auto|Floor)/")
        for case in ("Resolve", "ResolveLinks"):
            ratios = [row["cpu_time"] / rows[name.replace("_Auto", "_Floor")]["cpu_time"]
                      for name, row in rows.items() if name.startswith("BM_%s_Auto" % case)]
            what = "a path with links" if case == "ResolveLinks" else "a path"
            self.allow(what + " in another root / openat2", max(ratios), 1.15, "x CPU")
        rows = self.google_benchmark("exec_start_benchmark", "BM_ExecStart")
        for case in ("ExecStart", "ExecStartNet"):
            pair = [[row["real_time"] for name, row in rows.items()
                     if name.startswith("BM_%s_%s" % (case, who))] for who in
                    ("Nsctl", "Nsenter")]
            what = "all namespaces" if case == "ExecStart" else "one namespace"
            self.allow("exec in %s / nsenter" % what, pair[0][0] / pair[1][0], 1.3, "x wall")
        rows = self.google_benchmark("engine_sync_benchmark",
                                     "BM_(FirstSync_Partial|EventToSubscriber)/1000/")
        for what, case, most in (("first sync of 1,000 containers", "FirstSync_Partial", 1000),
                                 ("event to subscriber", "EventToSubscriber", 5)):
            self.allow(what, next(row["real_time"] for name, row in rows.items() if case in name),
                       most, "ms wall")


def run(bench, only, quick):
    if "start" in only:
        bench.start()
    if "sleepers" in only:
        bench.sleepers(1000, 0.5, 16)
        if not quick:
            bench.sleepers(5000, 0.3, 32)
    if "namespaces" in only:
        bench.namespaces(100 if quick else 500)
    if "netns" in only:
        bench.compare("netns", 200, ["list"], ["lsns", "--json"])
    if "fds" in only:
        bench.compare("fds", 10000, ["list"], ["lsns", "--json"])
    if "mounts" in only:
        bench.compare("mounts", 2000, ["mounts", "-o", "json"], ["findmnt", "--json"])
        bench.compare("mounts", 2000, ["mounts"], ["findmnt"])
    if "engines" in only:
        bench.engines(25)
    if "growth" in only:
        sizes = [250, 500, 1000] if quick else [1250, 2500, 5000, 10000]
        bench.grow("sleepers", sizes, ["list"])
        bench.grow("fds", [8 * size for size in sizes], ["list"])
        bench.grow("mounts", [size // 2 for size in sizes], ["mounts", "-o", "json"])
    if "library" in only:
        bench.library()


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--output")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default=",".join(WORLDS))
    options = parser.parse_args()
    only = options.only.split(",")
    if set(only) - set(WORLDS):
        parser.error("worlds are " + ", ".join(WORLDS))

    # A signal ends it as an interrupt does: what runs is ended first.
    def stop(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)

    load = os.getloadavg()[0]
    bench = Bench(options.bin, options.rounds or (5 if options.quick else 9))
    run(bench, only, options.quick)

    for line in bench_report.costs_table(bench.worlds):
        print(line)
    print()
    for line in bench_report.budgets_table(bench.budgets):
        print(line)
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump({"kernel": platform.release(), "processors": os.cpu_count(), "load": load,
                   "rounds": bench.rounds, "worlds": bench.worlds, "growth": bench.growth,
                   "budgets": [budget.as_data() for budget in bench.budgets]}, file, indent=1)
        file.write("\n")
    missed = [budget.name for budget in bench.budgets if not budget.met]
    print("\n%d of %d budgets met; figures in %s"
          % (len(bench.budgets) - len(missed), len(bench.budgets), options.output))
    for name in missed:
        print("missed: " + name)
    if load > 1:
        print("The machine was busy (load %.1f): ratios hold, milliseconds do not." % load)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
