#!/usr/bin/env python3
"""What a container can make much of: all of it is found, in bounded time and memory.

    huge_test.py NSCTL

Mounts up to nearly what the kernel allows in one mount namespace, thousands of mount namespaces, a
stack of mounts on one directory, and mount points whose paths are longer than any path that can be
opened.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

libc = ctypes.CDLL(None, use_errno=True)
MS_BIND = 4096
CLONE_NEWNS = 0x20000

# Of the kernel's 100,000 (fs.mount-max). In groups: the kernel's own time grows with the square of
# those side by side.
GROUPS = 50
MOUNTS_OF_GROUP = 1000
NAMESPACES = 2000
STACK = 1000
# So many directories of 255 bytes: 128 KiB.
DEPTH = 512


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind=None, flags=0):
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), None), "mount")


def make_mounts():
    for group in range(GROUPS):
        name = b"%d" % group
        os.mkdir(name)
        mount(b"group", name, b"tmpfs")
        os.mkdir(name + b"/source")
        for number in range(MOUNTS_OF_GROUP):
            target = b"%s/%d" % (name, number)
            os.mkdir(target)
            mount(name + b"/source", target, None, MS_BIND)


def make_stack():
    os.mkdir("stack")
    for _ in range(STACK):
        mount(b"stack", b"stack", b"tmpfs")


def make_deep():
    for number in range(DEPTH):
        name = b"%d" % number + b"x" * (255 - len("%d" % number))
        os.mkdir(name)
        os.chdir(name)
        if number % 64 == 63:
            os.mkdir("here")
            mount(b"deep", b"here", b"tmpfs")


def make_namespaces():
    resource.setrlimit(resource.RLIMIT_NOFILE, (NAMESPACES + 100, NAMESPACES + 100))
    for number in range(30):
        os.mkdir("%d" % number)
        mount(b"some", b"%d" % number, b"tmpfs")
    for _ in range(NAMESPACES):
        check(libc.unshare(CLONE_NEWNS), "unshare")
        os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)


def live(folder, kind):
    """Makes the scene in a mount namespace of its own; ends with its input."""
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, b"/", None, 1 << 18 | 1 << 14)
    mount(b"huge", os.fsencode(folder), b"tmpfs")
    os.chdir(folder)
    globals()["make_" + kind]()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


def run(nsctl, words, seconds, mebibytes):
    """What a command prints, and what was wrong with how it ran."""
    begin = time.monotonic()
    process = subprocess.Popen([nsctl] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = b"", b""
    try:
        out, err = process.communicate(timeout=10 * seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    took = time.monotonic() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print("  nsctl %s: %.1f s, at most %.0f MiB so far" % (" ".join(words[:4]), took, peak))
    faults = []
    if process.returncode != 0:
        faults.append("exit status %d: %r" % (process.returncode, err[-300:]))
    if took > seconds:
        faults.append("%.1f s" % took)
    if peak > mebibytes:
        faults.append("%.0f MiB" % peak)
    if b"mounts are missing" in err or b"mounts are unknown" in err:
        faults.append("not all is there: %r" % err[-300:])
    return out, ["%s: %s" % (" ".join(words), fault) for fault in faults]


def rows_of_kernel(pid):
    with open("/proc/%d/mountinfo" % pid, "rb") as file:
        return sum(1 for _ in file)


def look_at_mounts(nsctl, pid):
    """One namespace: as many mounts as the kernel has, by each command that shows them."""
    wanted = rows_of_kernel(pid)
    out, faults = run(nsctl, ["mounts", str(pid), "--list", "-o", "jsonl"], 20, 400)
    points = [json.loads(line)["mount"] for line in out.splitlines() if b'"mount"' in line]
    if len(points) != wanted:
        faults.append("mounts: %d of %d" % (len(points), wanted))
    faults += run(nsctl, ["mounts", str(pid)], 20, 400)[1]
    faults += run(nsctl, ["list"], 20, 400)[1]
    out, more = run(nsctl, ["snapshot", "--mounts", "-o", "pb"], 20, 400)
    faults += more
    if len(out) < 20 * wanted:
        faults.append("snapshot: %d bytes for %d mounts" % (len(out), wanted))
    return faults


def look_at_namespaces(nsctl, pid):
    out, faults = run(nsctl, ["list", "--type", "mnt", "--noheadings", "-c", "NS"], 20, 400)
    inodes = {os.stat("/proc/%d/fd/%s" % (pid, fd)).st_ino
              for fd in os.listdir("/proc/%d/fd" % pid)
              if os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("mnt:")}
    found = {int(word.strip(b"mnt:[]")) for word in out.split()}
    if len(inodes) != NAMESPACES or not inodes <= found:
        faults.append("list: %d of %d namespaces" % (len(inodes & found), len(inodes)))
    faults += run(nsctl, ["tree", "mnt"], 20, 400)[1]
    return faults + run(nsctl, ["snapshot", "--mounts", "-o", "pb"], 20, 400)[1]


def main():
    if sys.argv[1] == "--scene":
        live(*sys.argv[2:])
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"],
                                           check=False).returncode != 0:
        print("SKIPPED: no namespaces can be made here (CAP_SYS_ADMIN)")
        return 0
    nsctl = os.path.abspath(sys.argv[1])
    scenes = [("deep", look_at_mounts), ("stack", look_at_mounts),
              ("namespaces", look_at_namespaces), ("mounts", look_at_mounts)]
    failed = 0
    for kind, look in scenes:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            scene = subprocess.Popen([sys.executable, os.path.abspath(sys.argv[0]), "--scene",
                                      folder, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                if scene.stdout.readline() != b"ready\n":
                    sys.exit("FAILED: no scene of %s" % kind)
                print("%s, made in %.1f s" % (kind, time.monotonic() - begin), flush=True)
                faults = look(nsctl, scene.pid)
            finally:
                scene.kill()
                scene.wait()
                scene.stdin.close()
                scene.stdout.close()
        for fault in faults:
            print("FAILED: %s: %s" % (kind, fault), flush=True)
        failed += len(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
