#!/usr/bin/env python3
"""Boots kernels with what testing/kernels/init runs, and judges what comes out.

    kernel_matrix.py --initramfs=FILE --expectations=DIR --results=DIR SERIES=IMAGE...

Each kernel runs in QEMU by software emulation, with the modules in IMAGE.cpio. What it printed and left stays in
RESULTS/SERIES. The last line is "N passed, N failed, N skipped".
"""

import argparse
import base64
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import kernel_expectation

# As much as a loaded machine may take for one kernel.
TIMEOUT_SECONDS = 1200


def boot(image, initramfs, folder):
    """Runs a kernel to its end; what it says is in FOLDER/console and FOLDER/line."""
    command = [
        "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2",
        "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot",
        "-serial", "file:" + os.path.join(folder, "console"),
        "-serial", "file:" + os.path.join(folder, "line"),
        "-kernel", image, "-initrd", initramfs,
        # A loaded machine is too slow for the kernel's look at its timer.
        "-append", "console=ttyS0 panic=-1 quiet no_timer_check random.trust_cpu=on"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        process.wait(TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def unpack(line, folder):
    """False where the kernel did not come to its end."""
    match = re.search(rb"RESULTS\s+(.*)\s+END", line, re.DOTALL)
    if not match:
        return False
    archive = io.BytesIO(base64.b64decode(match[1]))
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        tar.extractall(folder)
    return True


def run(series, image, options):
    """The Counts of one kernel."""
    folder = os.path.join(options.results, series)
    shutil.rmtree(folder, ignore_errors=True)
    results = os.path.join(folder, "results")
    os.makedirs(results)
    initramfs = os.path.join(folder, "initramfs")
    with open(initramfs, "wb") as out:
        for part in (options.initramfs, image + ".cpio"):
            with open(part, "rb") as file:
                shutil.copyfileobj(file, out)
    boot(image, initramfs, folder)
    os.remove(initramfs)
    with open(os.path.join(folder, "line"), "rb") as file:
        complete = unpack(file.read(), results)
    if not complete:
        counts = kernel_expectation.Counts()
        counts.failed.append("it did not come to its end; see %s/console" % folder)
        return counts
    return kernel_expectation.judge(results, options.expectations, series)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--initramfs", required=True)
    parser.add_argument("--expectations", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("kernels", nargs="+", metavar="SERIES=IMAGE")
    options = parser.parse_args()

    def stop(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)

    passed = skipped = 0
    failed = []
    for kernel in options.kernels:
        series, image = kernel.split("=", 1)
        start = time.monotonic()
        counts = run(series, image, options)
        print("kernel %s (%s): %d passed, %d failed, %d skipped (%d s)" % (
            series, os.path.basename(image)[len("vmlinuz-"):], counts.passed, len(counts.failed),
            counts.skipped, time.monotonic() - start), flush=True)
        for sentence in counts.failed:
            print("  failed: " + sentence, flush=True)
        passed += counts.passed
        skipped += counts.skipped
        failed += counts.failed
    print("%d passed, %d failed, %d skipped" % (passed, len(failed), skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
