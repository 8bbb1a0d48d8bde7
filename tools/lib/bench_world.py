#!/usr/bin/env python3
"""Runs commands in turn in a world of their own, and says what they cost.

    bench_world.py BIN KIND COUNT ROUNDS <COMMANDS >COSTS

To be process 1 of a PID namespace with a mount namespace and a procfs of its own:
whatever is made here ends with it. COMMANDS is {name: [word, ...]} in JSON, COSTS
{name: [{"wall_ms", "cpu_ms", "rss_kib"}, ...]} with one entry per round.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile


def measure(program, words):
    """Not waited for by a deadline: who started this ends it with its namespace."""
    out = subprocess.run([program] + words, stdout=subprocess.PIPE, check=True).stdout.split()
    status, wall, cpu, rss = map(int, out)
    if status != 0:
        sys.exit("%s: exit status %d" % (" ".join(words), status))
    return {"wall_ms": wall / 1000, "cpu_ms": cpu / 1000, "rss_kib": rss}


def detach_mounts(folder):
    """Takes away what others have mounted on this machine, engines above all: each mount
    namespace of a world would have a copy of all of it."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        points = [line.split()[4] for line in file]
    for point in reversed(points):
        if (point.startswith(("/tmp/", "/var/lib/", "/run/", "/mnt/", "/media/", "/srv/"))
                and not folder.startswith(point + "/")):
            # One that is gone with another one's end is no failure.
            subprocess.run(["umount", "--lazy", "--", point.replace("\\040", " ")], check=False,
                           stderr=subprocess.DEVNULL)


def start_engines(folder, containers):
    """Two engines that speak as Docker and one as Podman, which have the containers in turn. They
    end with whoever holds their pipes."""
    program = os.path.join(folder, "engines/fake_engine_program")
    place = tempfile.mkdtemp(prefix="nsctl-bench-")
    engines = []
    for number, (name, mode) in enumerate((("dockerd", "docker"), ("dockerd", "docker"),
                                           ("podman", "podman"))):
        links = os.path.join(place, str(number))
        os.mkdir(links)
        os.symlink(program, os.path.join(links, name))
        words = ["service"] if mode == "podman" else []
        words += ["c%d" % container for container in range(number, containers, 3)]
        engine = subprocess.Popen([os.path.join(links, name), mode,
                                   os.path.join(links, mode + ".sock")] + words,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if engine.stdout.readline() != b"ok\n":
            sys.exit("an engine could not be started")
        engines.append(engine)
    return place, engines


def main():
    folder, kind, count, rounds = sys.argv[1:]
    commands = json.load(sys.stdin)
    # Process 1 is sent only the signals that it has a handler for.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os._exit(128 + number))
    detach_mounts(folder)
    place, engines = None, []
    if kind == "engines":
        place, engines = start_engines(folder, int(count))
        kind = "sleepers"
    world = subprocess.Popen([os.path.join(folder, "bench/world"), kind, count],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if world.stdout.readline() != b"ready\n":
        sys.exit("the world %s %s could not be made" % (kind, count))
    program = os.path.join(folder, "bench/measure")
    costs = {name: [] for name in commands}
    # The first round warms the caches of programs and of the kernel.
    for number in range(int(rounds) + 1):
        for name, words in commands.items():
            cost = measure(program, words)
            if number > 0:
                costs[name].append(cost)
    json.dump(costs, sys.stdout)
    for engine in engines:
        engine.kill()
    if place is not None:
        shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
