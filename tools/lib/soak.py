#!/usr/bin/env python3
"""The watching part of tools/soak.

    soak.py BIN MINUTES

To be process 1 of a PID namespace with a mount namespace and a procfs of its own:
whatever is made here ends with it.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time

import kernel_expectation

# What memory may grow by from the second quarter of the run to the last one: the
# world is not the same size all the time.
GROWTH = 1.10
GROWTH_KIB = 1024
# Facts of the scene that churn changes as well.
MOVING = {"others", "initial"}


class Failure(Exception):
    pass


def stop(number, _):
    # Process 1 takes all others along.
    os._exit(128 + number)


class Soak:
    def __init__(self, folder, seconds):
        self.folder = folder
        self.seconds = seconds
        # It goes with the mount namespace.
        self.scratch = "/dev/shm"
        subprocess.run(["mount", "-t", "tmpfs", "soak", self.scratch], check=True)
        self.truth = os.path.join(self.scratch, "truth")
        self.first = None
        self.runs = []
        self.children = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, words, output):
        """A program that says "ready"; its input stays open."""
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=output)
        self.children.append(process)
        return process

    def start_world(self):
        with open(self.truth, "wb") as file:
            self.start([self.path("testing/kernels/scene")], file)
        deadline = time.monotonic() + 60
        while not self.read_truth().endswith("ready\n"):
            if time.monotonic() > deadline or self.children[0].poll() is not None:
                raise Failure("the scene could not be made")
            time.sleep(0.05)
        # Alone with the scene, so that all of it is seen as it is.
        self.first = self.snapshot()
        lost = [name for name, facts in self.first.items() if facts == "not found"]
        print("stable: %d namespaces of the scene; not to be seen on this kernel: %s" % (
            len(self.first) - len(lost), ", ".join(sorted(lost)) or "none"), flush=True)
        churn = self.start([self.path("bench/churn"), "4"], subprocess.PIPE)
        if churn.stdout.readline() != b"ready\n":
            raise Failure("churn could not be started")

    def read_truth(self):
        with open(self.truth, encoding="utf-8") as file:
            return file.read()

    def snapshot(self):
        """What one run of `nsctl snapshot` says of the scene."""
        out = os.path.join(self.scratch, "snapshot.json")
        begin = time.monotonic()
        with open(out, "wb") as file:
            process = subprocess.Popen([self.path("cmd/nsctl"), "snapshot", "-o", "json"],
                                       stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        if process.wait() != 0:
            raise Failure("nsctl snapshot: exit status %d" % process.returncode)
        # Whatever it started was in its session.
        left = sessions().get(process.pid, 0)
        if left:
            raise Failure("nsctl snapshot left %d processes behind" % left)
        with open(out, encoding="utf-8") as file:
            snapshot = json.load(file)
        self.runs.append(time.monotonic() - begin)
        found = kernel_expectation.found_scene(self.read_truth(), snapshot)
        return {name: facts for name, facts in found.items() if name.split()[0] not in MOVING}

    def run(self):
        self.start_world()
        mounts = own_mounts()
        fds = len(os.listdir("/proc/self/fd"))
        lines = []
        library = subprocess.Popen([self.path("bench/soak"), self.truth, str(int(self.seconds))],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        os.set_blocking(library.stdout.fileno(), False)
        rest = b""
        while True:
            ended = library.poll()
            self.check(self.snapshot())
            rest += library.stdout.read() or b""
            *whole, rest = rest.split(b"\n")
            for line in whole:
                lines.append(json.loads(line))
                self.report(lines[-1])
            if ended is not None:
                break
        if ended != 0:
            raise Failure("the program that uses the library: exit status %d" % ended)
        self.judge(lines)
        # One of the host's may go: where its mount point is removed.
        if own_mounts() - mounts:
            raise Failure("mounts stayed behind: %s" % (own_mounts() - mounts))
        if len(os.listdir("/proc/self/fd")) > fds + 1:
            raise Failure("descriptors stayed behind")

    def check(self, found):
        for name, facts in self.first.items():
            if not includes(found.get(name, "not found"), facts):
                raise Failure("nsctl snapshot number %d: %s: %r, at first %r" % (
                    len(self.runs), name, found.get(name), facts))

    def report(self, line):
        print("%6d snapshots by the library: %6.1f MiB, %d fds, %d threads, %d children; %d "
              "namespaces, %d processes; %d runs of nsctl" % (
                  line["snapshots"], line["rss_kib"] / 1024, line["fds"], line["threads"],
                  line["children"], line["namespaces"], line["processes"], len(self.runs)),
              flush=True)

    def judge(self, lines):
        """The first quarter is for caches to fill."""
        if len(lines) < 8:
            raise Failure("too short to tell: %d lines of figures, 8 are needed" % len(lines))
        quarter = len(lines) // 4
        before, after = lines[quarter:2 * quarter], lines[-quarter:]
        for what in ("fds", "threads", "children"):
            if min(line[what] for line in after) > max(line[what] for line in before):
                raise Failure("the library leaves %s behind: %d, then %d" % (
                    what, before[0][what], after[-1][what]))
        memory = [statistics.median(line["rss_kib"] for line in part) for part in (before, after)]
        print("library: %d snapshots; memory %.1f MiB in the second quarter, %.1f MiB in the last"
              % (lines[-1]["snapshots"], memory[0] / 1024, memory[1] / 1024))
        if memory[1] > memory[0] * GROWTH + GROWTH_KIB:
            raise Failure("the library's memory grows")
        print("nsctl: %d runs, all with exit status 0; median %.0f ms" % (
            len(self.runs), 1000 * statistics.median(self.runs)))


def includes(facts, least):
    """Whether what is found of a namespace is what was found at first. The other scanner
    may hold it as well meanwhile, and is then rightly seen."""
    found, wanted = (dict(fact.partition("=")[::2] for fact in text.split())
                     for text in (facts, least))
    for name in ("processes", "threads", "fds", "sockets"):
        if int(found.pop(name, 0)) < int(wanted.pop(name, 0)):
            return False
    return found == wanted


def own_mounts():
    """Mount points but those on /mnt, where churn is at work."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        points = {line.split()[4] for line in file}
    return {point for point in points if not point.startswith("/mnt")}


def sessions():
    """{session: number of processes in it}"""
    counts = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, encoding="utf-8", errors="replace") as file:
                session = int(file.read().rpartition(")")[2].split()[3])
        except (OSError, IndexError, ValueError):
            continue
        counts[session] = counts.get(session, 0) + 1
    return counts


def main():
    folder, minutes = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    soak = Soak(folder, float(minutes) * 60)
    status = 0
    try:
        soak.run()
        print("soak: nothing wrong in %s minutes" % minutes)
    except Failure as failure:
        print("soak: FAILED: %s" % failure)
        status = 1
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
