#!/bin/bash
# What `nsctl exec` tells the shell, and what passes through it: exit statuses, signals, bytes,
# descriptors.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
cd "$TEST_TMPDIR" || exit 1

if ! start_scene '--mount --uts --ipc --net --pid'; then
  echo "SKIPPED: no namespaces can be made here"
  exit 0
fi
readonly target=$scene

# Runs `nsctl exec` with the words from $3 on; compares its status with $1 and its stderr with $2.
expect() {
  local status=$1 message=$2 err
  shift 2
  err=$("$nsctl" exec "$@" 2>&1 >/dev/null </dev/null)
  local actual=$?
  [[ $actual == "$status" ]] || fail "exec $*: exit status $actual, not $status"
  [[ $err == "${message:+nsctl: exec: $message}" ]] || fail "exec $*: stderr is \"$err\", not \"$message\""
}

for status in 0 1 2 7 124 125 126 127 128 255; do
  expect "$status" '' "$target" -- sh -c "exit $status"
done
# shellcheck disable=SC2016
for signal in HUP INT QUIT KILL USR1 SEGV TERM; do
  expect $((128 + $(kill -l "$signal"))) '' "$target" -- sh -c 'ulimit -c 0; kill -"$0" $$' "$signal"
done

expect 127 'execute "nosuch": No such file or directory (ENOENT)' "$target" -- nosuch
expect 127 'execute "": No such file or directory (ENOENT)' "$target" -- ''
expect 127 'execute "/nosuch/x": No such file or directory (ENOENT)' "$target" -- /nosuch/x
expect 126 'execute "/etc/passwd": Permission denied (EACCES)' "$target" -- /etc/passwd
expect 126 'execute "/etc": Permission denied (EACCES)' "$target" -- /etc
printf '#!/nosuch\n' >bad_interpreter
printf 'exit 3\n' >no_interpreter
chmod +x bad_interpreter no_interpreter
expect 127 'execute "./bad_interpreter": No such file or directory (ENOENT)' \
  -W "$PWD" "$target" -- ./bad_interpreter
expect 3 '' "$target" -- "$PWD/no_interpreter"

sleep 1000 &
gone=$!
kill "$gone"
wait "$gone" 2>/dev/null
expect 125 "find process $gone: No such process (ESRCH)" "$gone" -- true
expect 125 "find process $target:1: No such process (ESRCH)" "$target:1" -- true
expect 125 'not a target: "99999999": a PID is a number from 1 to 4194304' 99999999 -- true
uts=$(readlink "/proc/$target/ns/uts")
expect 125 "/proc/$target/ns/uts is $uts, not a net namespace" "--net=/proc/$target/ns/uts" -- true
expect 125 '/etc/passwd is no namespace' '--net=/etc/passwd' -- true
expect 125 'openat /nosuch: No such file or directory (ENOENT)' '-n/nosuch' -- true
expect 125 'no user "nosuch"' -S nosuch "$target" -- true
expect 125 'no group "nosuch"' -G nosuch "$target" -- true
expect 125 'open the working directory "/nosuch": No such file or directory (ENOENT)' \
  -W /nosuch "$target" -- true
own=$(readlink /proc/self/ns/user)
expect 125 "cannot enter $own of process $target: the caller is in this user namespace already" \
  -U "$target" -- true
expect 2 'TARGET is missing'
expect 2 'unknown option "--nett"; did you mean "--net"?' --nett "$target"
expect 2 'option --setuid needs a value' --setuid
if ((EUID == 0)); then
  err=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$nsctl" exec "--net=/proc/$$/ns/net" \
    -u/proc/self/ns/uts -- true 2>&1)
  [[ $? == 125 && $err == *"(EACCES)" ]] || fail "without root: $err"
fi

# A process is the one whose pidfd has this inode, or nobody.
inode=$("$nsctl" snapshot -o jsonl 2>/dev/null |
  grep -o "\"pid\":$target,.*" | grep -o '"pidfd_inode":"[0-9]*"' | head -n 1 | tr -dc 0-9)
[[ -z $inode ]] || expect 0 '' "$target:$inode" -- true

# One MiB in, through and out.
head -c 1048576 /dev/urandom >large
cp large expected
"$nsctl" exec "$target" -- cat <large | cmp - expected || fail "a mebibyte did not come through"
"$nsctl" exec "$target" -- sh -c 'cat >&2' <large 2>&1 >/dev/null | cmp - expected ||
  fail "a mebibyte did not come through stderr"

# Of descriptors only the standard ones are left, whoever opened the others.
left=$("$nsctl" exec "$target" -- sh -c 'echo /proc/self/fd/*' 5<large 77<large)
[[ $left == '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3' ]] ||
  fail "descriptors are left: $left"

# Whoever ignores SIGCHLD, as some service managers do, gets the status all the same.
env --ignore-signal=CHLD "$nsctl" exec "$target" -- sh -c 'exit 5'
[[ $? == 5 ]] || fail "with SIGCHLD ignored"

# Signals that nsctl is sent reach the command.
for signal in HUP INT QUIT USR1 USR2 TERM WINCH CONT; do
  mkfifo ready
  # shellcheck disable=SC2016
  env --default-signal "$nsctl" exec "$target" -- \
    sh -c 'trap "exit 9" "$0"; echo >"$1"; while :; do sleep 0.02; done' "$signal" "$PWD/ready" &
  read -r _ <ready
  kill -"$signal" $!
  wait $!
  [[ $? == 9 ]] || fail "SIG$signal did not reach the command"
  rm ready
done

# nsctl ends with the command that it is told to end, and a command ends with nsctl.
"$nsctl" exec "$target" -- sleep 1000 &
sleep 0.2
kill -TERM $!
wait $!
[[ $? == 143 ]] || fail "SIGTERM did not end the command"
start_scene '--user --map-root-user' || fail "no user namespace"
for where in "$target" "-U $scene"; do
  # shellcheck disable=SC2086
  "$nsctl" exec $where -- sleep 2000 &
  sleep 0.2
  kill -KILL $!
  wait $! 2>/dev/null
  for _ in $(seq 100); do
    pgrep -f '^sleep 2000$' >/dev/null || break
    sleep 0.02
  done
  pgrep -f '^sleep 2000$' >/dev/null && fail "a command in $where outlives nsctl"
done

# The second time a command has to end, whether it wants to or not. A repetition at once, as
# timeout(1) sends it, is no second time.
mkfifo ready
# shellcheck disable=SC2016
"$nsctl" exec "$target" -- sh -c 'trap "" TERM; echo >"$0"; while :; do sleep 0.02; done' \
  "$PWD/ready" 2>err &
read -r _ <ready
kill -TERM $!
kill -TERM $!
sleep 0.3
kill -0 $! || fail "a command that ignores SIGTERM was killed by the first"
kill -TERM $!
wait $!
[[ $? == 137 && $(cat err) == 'nsctl: exec: killed, since it did not end when it was told to' ]] ||
  fail "the second SIGTERM: $(cat err)"
rm ready

# A limit of time.
SECONDS=0
expect 143 'ended after 0.2 s, by --timeout' --timeout 0.2 "$target" -- sleep 1000
expect 143 'ended after 0.2 s, by --timeout' --timeout=0.2 "$target" -- \
  sh -c 'trap "exit 0" TERM; while :; do sleep 0.02; done'
((SECONDS < 10)) || fail "--timeout took $SECONDS s"
expect 0 '' --timeout 100 "$target" -- true
expect 2 '--timeout is a number of seconds above 0, not "x"' --timeout x "$target" -- true

# A stopped command stops nsctl, so that a shell sees it; both go on together.
"$nsctl" exec "$target" -- sh -c 'kill -STOP $$; exit 4' &
for _ in $(seq 500); do
  [[ $(cut -d ' ' -f 3 "/proc/$!/stat") == T ]] && break
  sleep 0.01
done
[[ $(cut -d ' ' -f 3 "/proc/$!/stat") == T ]] || fail "nsctl did not stop with its command"
kill -CONT $!
wait $!
[[ $? == 4 ]] || fail "the command did not go on"

# As the first process of a PID namespace nsctl reaps, passes signals on, and returns the status.
# shellcheck disable=SC2016
first='[ $$ = 2 ] || exit 1; (sleep 0.01 &); trap "exit 6" TERM; echo >"$0"; while :; do sleep 0.02; done'
mkfifo ready
# A sanitizer looks for leaks in a child, which nobody can have there once the first one has ended.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
# shellcheck disable=SC2016
unshare --pid sh -c 'exec "$0" exec -n "$1" -- sh -c "$2" "$3"' "$nsctl" "$target" "$first" \
  "$PWD/ready" &
read -r _ <ready
kill -TERM $!
wait $!
[[ $? == 6 ]] || fail "in a new PID namespace"

# Nobody can be born where the first process has ended.
unshare --pid sh -c '/bin/true; exec sleep 1000' &
holder=$!
until [[ $(cat "/proc/$holder/comm") == sleep ]]; do sleep 0.01; done
err=$("$nsctl" exec "--pid=/proc/$holder/ns/pid_for_children" -- true 2>&1)
[[ $? == 125 && $err == *"fork into the PID namespace whose process 1 has ended"* ]] ||
  fail "an ended PID namespace: $err"
kill "$holder"
wait "$holder" 2>/dev/null

# A script may name nsctl itself as its interpreter: what runs then is the launcher, which nobody
# can write to.
printf '#!/proc/self/exe\n' >attack
chmod +x attack
expect 127 '/proc/self/exe is no command there' "$target" -- "$PWD/attack"
expect 127 '/proc/self/exe is no command there' "$target" -- /proc/self/exe version
expect 127 '/proc/self/exe is no command there' "$target" -- /proc/self/exe 3 - - /bin/true x y z

# Where nothing is left of nsctl that could complain, the launcher does.
printf '#!/nosuch\n' >gone_interpreter
chmod +x gone_interpreter
err=$("$nsctl" exec -F -m "$target" -- "$PWD/gone_interpreter" 2>&1)
[[ $? == 127 && $err == 'nsctl: exec: the command cannot be executed: error 2' ]] ||
  fail "-F without an interpreter: $err"
err=$("$nsctl" exec -F -n "$target" -- "$PWD/gone_interpreter" 2>&1)
[[ $? == 127 && $err == 'nsctl: exec: execute "/'*'": No such file or directory (ENOENT)' ]] ||
  fail "-F without an interpreter, here: $err"

# Root in the namespaces, with the capabilities that containers have: whatever it can open of the
# programs that appear there is not nsctl.
if ((EUID == 0)) && start_scene '--mount --mount-proc --pid'; then
  victim=$scene
  # shellcheck disable=SC2016
  nsenter -t "$victim" -m -p setpriv --bounding-set=-all,+chown,+setuid,+setgid,+sys_chroot \
    bash -c 'while :; do for exe in /proc/[0-9]*/exe; do readlink "$exe"; done; done' >seen 2>&1 &
  watcher=$!
  for _ in $(seq 40); do
    "$nsctl" exec "$victim" -- setpriv --bounding-set=-all true || fail "exec beside the watcher"
    "$nsctl" exec "$victim" -- "$PWD/attack" 2>/dev/null
  done
  kill "$(tr -d ' ' <"/proc/$watcher/task/$watcher/children")"
  wait "$watcher" 2>/dev/null
  grep -q . seen || fail "the watcher saw nothing"
  grep -F -e "$(basename "$nsctl")" seen | grep -v -F 'memfd:nsctl-launcher' &&
    fail "the nsctl binary can be opened in the namespaces"

  # With all capabilities: the command is born as the launcher, with pipes besides its standard
  # descriptors. A long way to the command gives the watcher its time.
  nsenter -t "$victim" -m -p bash -c 'while :; do readlink /proc/[0-9]*/{exe,fd/*}; done' \
    >seen 2>&1 &
  watcher=$!
  far=$(printf '/nosuch:%.0s' {1..15000})$PATH
  for _ in $(seq 40); do
    PATH=$far "$nsctl" exec -m -p "$victim" -- true 9<"$PWD" || fail "exec beside the watcher"
  done
  kill "$(tr -d ' ' <"/proc/$watcher/task/$watcher/children")"
  wait "$watcher" 2>/dev/null
  grep -q -F bash seen || fail "the watcher of all saw nothing"
  grep -E "/$(basename "$nsctl")( \\(deleted\\))?$" seen && fail "the nsctl binary can be looked into"
  grep -E -e pidfd -e '^/?[a-z_]*:\[' -e '^/(proc.*|[0-9].*)?$' -e "^$PWD" seen |
    grep -v -E -e '^(pipe|socket):' | grep -v -F "$PWD/seen" && fail "descriptors of nsctl's can be opened"
fi

finish
