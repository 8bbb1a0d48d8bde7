#!/usr/bin/env python3
"""What containers call things, on a terminal and in every other output.

    hostile_names_test.py NSCTL

A scene has names of every kind that a container can choose, and each would drive a terminal, be
markup, or look like another name. Every command that reads looks at it: nothing that it writes to
a terminal is a control character, one that turns or hides text, or a sequence that is not nsctl's
own; JSON stays JSON and graphs stay graphs; and the names are there, as what they are.
"""

import ctypes
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unicodedata

libc = ctypes.CDLL(None, use_errno=True)

# Writes to the clipboard; C1 for the same; sets the title; clears; turns text around; has no width;
# is no UTF-8; is markup; is more than one line.
CLIPBOARD = b"\x1b]52;c;aGk=\x07"
NAMES = [CLIPBOARD, b"\xc2\x9d52;c;aGk=\xc2\x9c", b"\x1b]0;title\x07", b"\x1b[2J\x1b[H",
         b"\xe2\x80\xaegnp.exe", b"a\xe2\x80\x8bb\xef\xbb\xbf", b"\xff\xfe\x9b31m",
         b"<img src=x onerror=alert(1)>", b"<script>alert(1)<|script>", b"\"],\"x\":[\"",
         b"two\nlines", b"\ttab\r\x08\x7f"]
# What is looked for: the first of NAMES as nsctl writes it.
SEEN = "\\x1b]52;c;aGk=\\x07"

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
OWN_SEQUENCES = re.compile(r"\x1b\[[0-9;]*[mK]")
PRCTL_SET_NAME = 15
MS_BIND = 4096


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind, flags=0):
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), None), "mount")


def join_cgroup(folder):
    """Into one with such a name. The hierarchy is every host's, whose container can do the same."""
    os.mkdir(folder)
    mount(b"cgroup", folder, b"cgroup2")
    group = os.path.join(folder, CLIPBOARD)
    os.makedirs(group, exist_ok=True)
    with open(os.path.join(group, b"cgroup.procs"), "w", encoding="ascii") as file:
        file.write("0")


def live(folder, program):
    """The scene, inside of namespaces of its own; ends with its input."""
    folder = os.fsencode(folder)
    mount(b"scene", folder, b"tmpfs")
    check(libc.sethostname(CLIPBOARD, len(CLIPBOARD)), "sethostname")
    for name in NAMES:
        path = os.path.join(folder, name)
        os.mkdir(path)
        mount(name, path, b"tmpfs")
        os.symlink(name, os.path.join(folder, b"link to " + name))
        with open(os.path.join(path, name), "wb") as file:
            file.write(b"content")
        if len(path) < 90:
            socket.socket(socket.AF_UNIX).bind(os.path.join(path, b"socket"))
    join_cgroup(os.path.join(folder, b"cgroups"))
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(b"\0" + CLIPBOARD)
    listening.listen()
    # A namespace that only a mount with such a name holds.
    pinned = os.path.join(folder, b"pinned" + CLIPBOARD)
    os.close(os.open(pinned, os.O_CREAT | os.O_WRONLY, 0o600))
    child = os.fork()
    if child == 0:
        check(libc.unshare(0x40000000), "unshare")
        mount(b"/proc/self/ns/net", pinned, None, MS_BIND)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the scene's mount of a namespace cannot be made")
    print(os.stat(pinned).st_ino, flush=True)
    # Named by what is executed, by itself, and by its first argument.
    for name in NAMES:
        at = os.path.join(folder, b"program " + name)
        shutil.copy(program, at)
        if os.fork() == 0:
            libc.prctl(1, signal.SIGKILL, 0, 0, 0)
            libc.unshare(0x04000000)
            os.execv(at, [name, b"-c", b"kill -STOP $$", name])
    libc.prctl(PRCTL_SET_NAME, ctypes.c_char_p(CLIPBOARD), 0, 0, 0)
    print("ready", flush=True)
    sys.stdin.read()
    # All that was started ends with the PID namespace.
    os._exit(0)


def leave_cgroup():
    """Removes what join_cgroup made."""
    with tempfile.TemporaryDirectory() as at:
        # Processes of the scene end one after the other.
        script = '''mount -t cgroup2 none "$1" || exit
                    for i in $(seq 200); do
                      if [ ! -d "$1/$2" ] || rmdir "$1/$2" 2>/dev/null; then exit 0; fi
                      sleep 0.1
                    done
                    exit 1'''
        subprocess.run([b"unshare", b"--mount", b"sh", b"-c", script, b"sh", at, CLIPBOARD],
                       check=True)


def on_a_terminal(words):
    """What a command writes to a terminal, standard error as well, and its status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        os.execv(words[0], words)
    written = b""
    while True:
        try:
            block = os.read(fd, 65536)
        except OSError:
            break
        if not block:
            break
        written += block
    os.close(fd)
    return written, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def faults_of_text(text):
    """Why `text`, bytes for a terminal, could drive it."""
    try:
        text = text.decode()
    except UnicodeDecodeError as error:
        return ["not UTF-8: %s" % error]
    text = OWN_SEQUENCES.sub("", text.replace("\r\n", "\n"))
    wrong = {c for c in text if c != "\n" and unicodedata.category(c) in UNSEEN}
    # nsctl erases a line of progress before it writes another.
    return ["%r, in %r" % (c, text[max(0, text.index(c) - 40):][:80]) for c in wrong - {"\r"}]


def faults_of_graph(text):
    """Whether something is markup, or a statement, that should be a string."""
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", text.decode())
    return ["outside of a string: %r" % rest[rest.index(word):][:80]
            for word in ("<", "onerror", "aGk=") if word in rest]


def faults_of_json(text):
    faults = faults_of_text(text)
    for line in text.splitlines() if text.count(b"\n{") else [text]:
        try:
            json.loads(line)
        except ValueError as error:
            faults.append("no JSON: %s" % error)
    return faults


def look(nsctl, pid, inode, folder):
    """Faults of all commands."""
    net = "net:[%d]" % inode
    target = "%d:%s" % (pid, folder)
    clipboard = os.fsdecode(CLIPBOARD)
    link = target + "/link to " + clipboard
    # Command, and whether it has to show SEEN.
    tables = [
        (["list", "-c", "all"], True), (["list", "--no-truncate"], True), (["tree"], True),
        (["tree", "user"], True), (["tree", "pid"], True), (["tree", "mnt"], False),
        (["tree", "owner"], True), (["ps"], True), (["ps", "-c", "all"], True),
        (["mounts", str(pid)], True), (["mounts", str(pid), "-c", "all"], True),
        (["inspect", str(pid)], True), (["inspect", net], True),
        (["inspect", "/proc/%d/ns/uts" % pid], True), (["why", net], True),
        (["caps", str(pid)], False), (["containers"], False), (["doctor"], False),
        (["fs", "ls", target], True), (["fs", "ls", "-l", target], True),
        (["fs", "readlink", link], True), (["fs", "resolve", link], True),
        (["fs", "stat", target + "/" + clipboard], True),
        (["fs", "cat", target + "/" + clipboard + "/none"], True),
        (["exec", "--dry-run", "-a", str(pid), "--", clipboard], True),
        (["list", clipboard], True), (["inspect", "container:" + clipboard], True),
        ([clipboard], True), (["list", "--" + clipboard], False),
    ]
    faults = []
    for words, shows in tables:
        written, status = on_a_terminal([nsctl] + words)
        found = faults_of_text(written)
        if status > 4 or status < 0:
            found.append("exit status %d: %r" % (status, written[-200:]))
        if shows and SEEN not in written.decode(errors="replace").replace("\r\n", ""):
            found.append("the name is not there, or not as it is: %r" % written[:400])
        faults += ["%s: %s" % (" ".join(words[:3]), fault) for fault in found]
    files = [
        (["list", "-o", "json"], faults_of_json), (["list", "-o", "jsonl"], faults_of_json),
        (["list", "-o", "textproto"], faults_of_text), (["ps", "-o", "json"], faults_of_json),
        (["snapshot", "--all", "-o", "json"], faults_of_json),
        (["snapshot", "--all", "-o", "jsonl"], faults_of_json),
        (["snapshot", "--all", "-o", "textproto"], faults_of_text),
        (["snapshot", "--mounts", "-o", "lxkns"], faults_of_json),
        (["tree", "-o", "json"], faults_of_json), (["tree", "-o", "dot"], faults_of_graph),
        (["why", net, "-o", "json"], faults_of_json), (["why", net, "-o", "dot"], faults_of_graph),
        (["mounts", str(pid), "-o", "json"], faults_of_json),
        (["inspect", str(pid), "-o", "json"], faults_of_json),
        (["fs", "ls", target, "-o", "json"], faults_of_json),
    ]
    for words, judge in files:
        run = subprocess.run([nsctl] + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             check=False)
        found = judge(run.stdout) + faults_of_text(run.stderr)
        if run.returncode != 0:
            found.append("exit status %d: %r" % (run.returncode, run.stderr))
        if b"aGk=" not in run.stdout:
            found.append("the name is not there")
        faults += ["%s: %s" % (" ".join(words), fault) for fault in found]
    return faults


def main():
    if sys.argv[1] == "--scene":
        live(*sys.argv[2:])
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--uts", "--pid", "--fork",
                                            "true"], check=False).returncode != 0:
        print("SKIPPED: no namespaces can be made here (CAP_SYS_ADMIN)")
        return 0
    nsctl = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        scene = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", sys.executable,
             os.path.abspath(sys.argv[0]), "--scene", folder, shutil.which("dash")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            inode = int(scene.stdout.readline())
            if scene.stdout.readline() != b"ready\n":
                sys.exit("FAILED: no scene")
            children = "/proc/%d/task/%d/children" % (scene.pid, scene.pid)
            with open(children, encoding="ascii") as file:
                pid = int(file.read().split()[0])
            faults = look(nsctl, pid, inode, folder)
        finally:
            scene.kill()
            scene.wait()
            scene.stdin.close()
            scene.stdout.close()
            leave_cgroup()
    for fault in faults:
        print("FAILED: " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
