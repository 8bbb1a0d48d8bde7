#!/usr/bin/env python3
"""What nsctl finds, and says that it misses, under all kinds of privileges.

    lattice_test.py NSCTL

In each case of CASES nsctl takes a snapshot while this program asks the kernel the same, with the same
privileges: what can be read must be in the snapshot, what is refused must be among its gaps, and
nothing else may.
"""

import ctypes
import errno
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

TYPES = ["mnt", "cgroup", "uts", "ipc", "user", "pid", "net", "time"]
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"
PROC = "unshare --mount sh -c 'mount -t proc -o %s proc /proc && exec \"$@\"' sh "

# Name, what a command line begins with, which of the scene's processes' namespaces are found, and
# gaps of the host by their operation.
CASES = [
    ("root", "", {"root's", "nobody's"}, set()),
    ("root without CAP_SYS_PTRACE", "setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace",
     set(), set()),
    ("root without CAP_SYS_ADMIN", "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin",
     {"root's", "nobody's"}, {"ioctl NS_MNT_GET_NEXT"}),
    ("root of a user namespace", "unshare --user --map-root-user", set(),
     {"ioctl NS_MNT_GET_NEXT"}),
    ("nobody", NOBODY, {"nobody's"}, {"ioctl NS_MNT_GET_NEXT"}),
    ("a container", "unshare --pid --mount --fork --mount-proc setpriv "
     "--bounding-set=-all,+chown,+dac_override,+fowner,+kill,+setuid --inh-caps=-all", set(),
     {"ioctl NS_MNT_GET_NEXT", "list processes"}),
    ("hidepid=invisible, root", PROC % "hidepid=2", {"root's", "nobody's"}, set()),
    ("hidepid=invisible, nobody", PROC % "hidepid=2" + NOBODY, {"nobody's"},
     {"ioctl NS_MNT_GET_NEXT", "mount option hidepid"}),
    ("hidepid=noaccess, nobody", PROC % "hidepid=1" + NOBODY, {"nobody's"},
     {"ioctl NS_MNT_GET_NEXT"}),
    ("hidepid=ptraceable, nobody", PROC % "hidepid=4" + NOBODY, {"nobody's"},
     {"ioctl NS_MNT_GET_NEXT", "mount option hidepid"}),
    ("subset=pid", PROC % "subset=pid", {"root's", "nobody's"}, set()),
    ("subset=pid, nobody", PROC % "subset=pid" + NOBODY, {"nobody's"},
     {"ioctl NS_MNT_GET_NEXT"}),
]

# A host does not stand still between a look and the next.
ATTEMPTS = 5

libc = ctypes.CDLL(None, use_errno=True)


def attempt(call, *arguments):
    """What a system call gives, and the name of its errno or nothing."""
    try:
        return call(*arguments), ""
    except OSError as error:
        return None, errno.errorcode[error.errno]


def ask_about(pid):
    """What the kernel says of a process: its namespaces and the refusals that a scan must meet."""
    directory, error = attempt(os.open, "/proc/%s" % pid, os.O_RDONLY | os.O_DIRECTORY)
    if error:
        return {"open": error}
    answer = {"namespaces": {}}
    try:
        for name in TYPES:
            link, error = attempt(lambda: os.readlink("ns/" + name, dir_fd=directory))
            if not error:
                answer["namespaces"][name] = int(link.split("[")[1][:-1])
            elif error not in ("ENOENT", "ESRCH"):
                answer["ns"] = error
        fds, error = attempt(lambda: os.open("fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory))
        if not error:
            names, error = attempt(os.listdir, fds)
            for name in names or []:
                _, one = attempt(lambda: os.readlink(name, dir_fd=fds))
                error = error or (one if one not in ("ENOENT", "ESRCH") else "")
            os.close(fds)
        if error not in ("", "ENOENT", "ESRCH"):
            answer["fd"] = error
    finally:
        os.close(directory)
    return answer


def ask_all():
    return {int(pid): ask_about(pid) for pid in os.listdir("/proc") if pid.isdigit()}


def errno_of_ioctl(path, request):
    descriptor, error = attempt(os.open, path, os.O_RDONLY)
    if error:
        return error
    _, error = attempt(fcntl.ioctl, descriptor, request)
    os.close(descriptor)
    return error


def errno_of_setns(path):
    """In a process that ends."""
    pid = os.fork()
    if pid == 0:
        descriptor = os.open(path, os.O_RDONLY)
        os._exit(0 if libc.setns(descriptor, 0) == 0 else ctypes.get_errno())
    return errno.errorcode.get(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "")


NS_IOCTLS = {"ioctl NS_GET_USERNS": 0xb701, "ioctl NS_GET_PARENT": 0xb702}
NS_MNT_GET_NEXT = 0x8010b70b


def operation_of(gap):
    """open, ns or fd: which of the answers of ask_about() a gap of a process is about."""
    words = gap["operation"].split()
    return words[1] if len(words) > 1 else words[0]


def next_pid():
    """The number of a process that ends at once."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def check_processes(snapshot, before, after, first, last):
    """Sentences about what is not as the kernel says.

    Numbers from `first` to `last` were dealt meanwhile.
    """
    wrong = []
    processes = {process["pid"]: process for process in snapshot["processes"]}
    gaps = {}
    for gap in snapshot.get("gaps", []):
        if gap["subject"].startswith("pid:") and not gap["subject"].startswith("pid:["):
            key = int(gap["subject"][4:])
            gaps.setdefault(key, {})[operation_of(gap)] = gap["error"]
    # Of what changed meanwhile, this test's own children among it, nothing can be said.
    for pid in set(before) & set(after):
        if before[pid] != after[pid]:
            continue
        answer = before[pid]
        refusals = {key: error for key, error in answer.items() if key != "namespaces"}
        if pid not in processes:
            wrong.append("process %d is missing" % pid)
            continue
        found = {key: inode for key, inode in processes[pid].get("namespaces", {}).items()
                 if key in TYPES}
        if found != answer.get("namespaces", {}):
            wrong.append("process %d is in %s, not %s" % (pid, found, answer["namespaces"]))
        told = {key: error for key, error in gaps.get(pid, {}).items()
                if key in ("open", "ns", "fd")}
        if told != refusals:
            wrong.append("gaps of process %d are %s, the kernel says %s" % (pid, told, refusals))
    for pid in set(processes) - set(before) - set(after):
        # One that came and went has a number that was dealt meanwhile, unless they began anew.
        if first < last and not first < pid < last:
            wrong.append("process %d is made up" % pid)
    listed = {(ns["type"], ns["inode"]) for ns in snapshot["namespaces"]}
    for pid, process in processes.items():
        for name in TYPES:
            inode = process.get("namespaces", {}).get(name)
            if inode is not None and (name, inode) not in listed:
                wrong.append("%s:[%d] of process %d is not listed" % (name, inode, pid))
    return wrong


def check_namespaces(snapshot):
    """The same of what namespaces are asked."""
    wrong = []
    namespaces = {"%s:[%d]" % (ns["type"], ns["inode"]): ns for ns in snapshot["namespaces"]}
    for gap in snapshot.get("gaps", []):
        reference = namespaces.get(gap["subject"], {}).get("reference", [])
        if len(reference) != 1 or not os.path.exists(reference[0]):
            continue
        if gap["operation"] in NS_IOCTLS:
            error = errno_of_ioctl(reference[0], NS_IOCTLS[gap["operation"]])
        elif gap["operation"] == "setns":
            error = errno_of_setns(reference[0])
        else:
            continue
        if error != gap["error"]:
            wrong.append("gap %s: the kernel says %s" % (gap, error))
    return wrong


def look(nsctl, case, scene):
    """Runs with the privileges of the case."""
    _, _, finds, host_gaps = next(one for one in CASES if one[0] == case)
    first = next_pid()
    before = ask_all()
    command = [nsctl, "snapshot", "--tasks=none", "-o", "json"]
    result = subprocess.run(command, capture_output=True, check=False)
    after = ask_all()
    last = next_pid()
    if result.returncode != 0:
        return ["exit status %d: %s" % (result.returncode, result.stderr.decode())]
    snapshot = json.loads(result.stdout)
    wrong = check_processes(snapshot, before, after, first, last) + check_namespaces(snapshot)
    listed = {ns["inode"] for ns in snapshot["namespaces"] if ns["type"] == "net"}
    found = {name for name, inode in json.loads(scene).items() if inode in listed}
    if found != finds:
        wrong.append("found are the namespaces of %s, not %s" % (sorted(found), sorted(finds)))
    told = {gap["operation"] for gap in snapshot.get("gaps", []) if gap["subject"] == "host"}
    if told != host_gaps:
        wrong.append("gaps of the host: %s, not %s" % (sorted(told), sorted(host_gaps)))
    refused = errno_of_ioctl("/proc/self/ns/mnt", NS_MNT_GET_NEXT) == "EPERM"
    if refused != ("ioctl NS_MNT_GET_NEXT" in told):
        wrong.append("whether the kernel lists mount namespaces: %s" % (not refused))
    strict = subprocess.run(command + ["--strict"], capture_output=True, check=False).returncode
    if strict != (3 if snapshot.get("gaps") else 0):
        wrong.append("--strict: exit status %d" % strict)
    if not any(process["pid"] == snapshot["scanner"]["pid"] for process in snapshot["processes"]):
        wrong.append("it does not see itself")
    return wrong


def run_case(nsctl, case, scene):
    """Sentences about what is wrong."""
    prefix = next(one[1] for one in CASES if one[0] == case)
    inner = [sys.executable, os.path.abspath(sys.argv[0]), "--inside", nsctl, case, scene]
    words = ["sh", "-c", "exec %s \"$@\"" % prefix, "sh"] + inner
    result = subprocess.run(words, capture_output=True, check=False)
    if result.returncode != 0:
        return ["the case itself: " + result.stderr.decode()]
    return json.loads(result.stdout)


# Runs with mounts of its own. Each is about a procfs that lies.
LIES = {
    # Something is mounted over a process's directory: what is in it is not believed.
    "covered": """
        mount -t tmpfs none /proc/$1 && mkdir /proc/$1/ns && ln -s 'net:[7]' /proc/$1/ns/net &&
        "$0" list -c NS --noheadings 2>err >out && ! grep -w 7 out &&
        grep -q "process (pid:$1): open: EXDEV: something is mounted over it: nothing but its number" err""",
    "covered file": """
        echo '1 (liar) S 0 1' >fake && mount --bind fake /proc/$1/stat &&
        "$0" ps --pid $1 2>err >out; ! grep liar out err""",
    # Another directory is mounted where procfs is looked for.
    "in its place": """
        mkdir -p root/1/ns && ln -s 'net:[7]' root/1/ns/net && mount --bind root /proc &&
        { "$0" list 2>err >out; [ $? = 1 ]; } && ! [ -s out ] &&
        grep -q '/proc is no procfs: something else is mounted there' err""",
    # A directory that is called a procfs may be a recorded one: nothing in it is about this kernel.
    "a directory": """
        mkdir -p dir/1/ns && ln -s 'net:[4026531833]' dir/1/ns/net && ln -s 1 dir/self &&
        echo '1 (liar) S 0 1 1 0 -1 0' >dir/1/stat &&
        "$0" snapshot --procfs dir -o json 2>err >out && grep -q '"procfs"' out &&
        ! grep -q kernel_id out && grep -q 'net:.4026531833.): open ns/net: ENOENT' err""",
    "no procfs at all": """
        mkdir empty && { "$0" list --procfs empty 2>err; [ $? = 1 ]; } &&
        grep -q 'shows no process: it is no procfs' err""",
}


def sleeper(words):
    """A process, and the network namespace that it makes for itself."""
    process = subprocess.Popen(words + ["sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process, os.stat("/proc/%d/ns/net" % process.pid).st_ino


def main():
    if sys.argv[1] == "--inside":
        print(json.dumps(look(*sys.argv[2:])))
        return 0
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"],
                                           check=False).returncode != 0:
        print("SKIPPED: no namespaces can be made here (CAP_SYS_ADMIN)")
        return 0
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        # Where everybody can reach it.
        os.chmod(folder, 0o755)
        nsctl = shutil.copy(sys.argv[1], os.path.join(folder, "nsctl"))
        os.chmod(nsctl, os.stat(nsctl).st_mode | stat.S_IROTH | stat.S_IXOTH)
        sys.argv[0] = shutil.copy(sys.argv[0], os.path.join(folder, "lattice_test.py"))
        os.chmod(sys.argv[0], 0o755)
        victim, root_net = sleeper(["unshare", "--net"])
        other, nobody_net = sleeper(NOBODY.split() + ["unshare", "--user", "--net"])
        try:
            scene = json.dumps({"root's": root_net, "nobody's": nobody_net})
            for name, _, _, _ in CASES:
                for _ in range(ATTEMPTS):
                    wrong = run_case(nsctl, name, scene)
                    if not wrong:
                        break
                print("%s: %s" % (name, "as the kernel says" if not wrong else "FAILED"), flush=True)
                for sentence in wrong[:10]:
                    print("  " + sentence)
                faults += len(wrong)
            for name, script in LIES.items():
                words = ["unshare", "--mount", "sh", "-c", script, nsctl, str(victim.pid)]
                failed = subprocess.run(words, cwd=folder, check=False).returncode != 0
                print("a procfs that lies, %s: %s" % (name, "FAILED" if failed else "not believed"))
                faults += failed
        finally:
            for process in (victim, other):
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
