#!/bin/bash
# Who and what the command of `nsctl exec` is, by options that nsenter does not have or has only
# lately: looked at in /proc/self/status and the environment.
# shellcheck disable=SC2016 # inner shells expand
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
readonly silent_fuse=$PWD/$3
cd "$TEST_TMPDIR" || exit 1

if ((EUID != 0)) || ! start_scene '--uts --mount'; then
  echo "SKIPPED: needs root, and namespaces"
  exit 0
fi

expect() {
  local wanted=$1 seen
  shift
  seen=$("$nsctl" exec "$@" 2>&1)
  [[ $seen == "$wanted" ]] || fail "exec $*: \"$seen\", not \"$wanted\""
}

lines() {
  grep -E "^($1):" "/proc/$2/status"
}

# As the target: ids, groups and capabilities, of users and of root.
for who in '--reuid=1000 --regid=1001 --groups=4,24 --bounding-set=-all,+chown,+kill --inh-caps=-all' \
  '--bounding-set=-all,+chown,+net_admin --inh-caps=-all' \
  '--reuid=7 --clear-groups --inh-caps=-all,+kill --ambient-caps=-all,+kill' \
  '--reuid=8 --regid=8 --clear-groups'; do
  # shellcheck disable=SC2086
  # shellcheck disable=SC2086
  setpriv $who sleep 1000 &
  target=$!
  until [[ $(cat "/proc/$target/comm") == sleep ]]; do sleep 0.01; done
  keys='Uid|Gid|Groups|CapPrm|CapEff|CapBnd'
  expect "$(lines "$keys" "$target")" -n -S follow -G follow --groups=follow --caps=target \
    "$target" -- grep -E "^($keys):" /proc/self/status
  kill "$target"
  wait "$target" 2>/dev/null
done

# Names are those of the passwd and group files inside; nothing outside knows them.
mkdir -p inner/etc
echo 'captain:x:4711:4712::/:/bin/false' >inner/etc/passwd
echo 'crew:x:4713:captain' >inner/etc/group
nsenter -t "$scene" -m sh -c "mount --bind '$PWD/inner/etc' /etc" || fail "no inner /etc"
expect $'4711\n4713' -S captain -G crew "$scene" -- sh -c 'id -u; id -g'
expect 'nsctl: exec: no user "captain"' -u -S captain "$scene" -- id
expect 'nsctl: exec: no user "root"' -S root "$scene" -- id
# A file that somebody has replaced by one that never ends or never answers is not waited for.
rm inner/etc/passwd
mkfifo inner/etc/passwd
"$nsctl" exec -S captain "$scene" -- id 2>err
[[ $? == 125 && $(cat err) == *passwd* ]] || fail "a FIFO for passwd: $(cat err)"
rm inner/etc/passwd
# A server that never answers: the process that asks it cannot end, and nsctl does. The server ends
# with the last descriptor of "keep", of which what is left behind must have none.
if [[ -c /dev/fuse ]]; then
  mkdir silent
  mkfifo keep
  nsenter -t "$scene" -m "$silent_fuse" "$PWD/silent" <keep >fuse &
  server=$!
  exec 9<>keep
  until [[ -s fuse ]]; do kill -0 "$server" || break; sleep 0.01; done
  for file in passwd group; do ln -sf "$PWD/silent/file" "inner/etc/$file"; done
  for who in '-S captain' '-G crew'; do
    SECONDS=0
    # Whoever reads its outputs comes to their end as well.
    # shellcheck disable=SC2086
    seen=$(timeout -s KILL 20 "$nsctl" exec $who "$scene" -- id 2>&1; echo "$?")
    [[ $seen == *"/etc/"*"no answer"*$'\n125' && $(wc -l <<<"$seen") == 2 ]] ||
      fail "a silent server, $who: $seen"
    ((SECONDS <= 10)) || fail "a silent server was waited for: $SECONDS s"
  done
  seen=$(echo 'echo "$0"' | timeout -s KILL 20 "$nsctl" exec "$scene" 2>&1; echo "$?")
  [[ $seen == $'-sh\n0' ]] || fail "no shell with a silent server: $seen"
  SECONDS=0
  timeout -s KILL 30 "$nsctl" exec "$scene" -- "$PWD/silent/file" 2>err
  [[ $? == 125 && $(cat err) == 'nsctl: exec: execute "/'*'": no answer in time' ]] ||
    fail "a silent command: $(cat err)"
  ((SECONDS <= 20)) || fail "a silent command was waited for: $SECONDS s"
  # Whoever does not want to wait so long need not.
  SECONDS=0
  timeout 1 "$nsctl" exec "$scene" -- "$PWD/silent/file" 2>err
  [[ $? == 124 && $(cat err) == 'nsctl: exec: told to end before the command ran' ]] ||
    fail "SIGTERM on the way to a silent command: $(cat err)"
  ((SECONDS <= 5)) || fail "SIGTERM on the way to a command took $SECONDS s"
  exec 9>&-
  for _ in $(seq 100); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
  kill "$server" 2>/dev/null && fail "a descriptor was kept by what was left behind"
  wait "$server"
  rm inner/etc/group
fi
rm -f inner/etc/passwd
printf 'root:x:0:0::/:%s\n' "$PWD/shell" >inner/etc/passwd
printf '#!/bin/sh\necho "shell $0 $#"\n' >shell
chmod +x shell
expect "shell $PWD/shell 0" "$scene"
rm shell
seen=$(echo 'echo "$0"' | "$nsctl" exec "$scene")
[[ $seen == -sh ]] || fail "no other shell was taken, by its own name: $seen"

expect 'NoNewPrivs:	1' --no-new-privs "$scene" -- grep ^NoNewPrivs /proc/self/status

# Environments.
env -i ONE=1 TWO='a b' sleep 1000 &
target=$!
until [[ $(cat "/proc/$target/comm") == sleep ]]; do sleep 0.01; done
expect $'ONE=1\nTWO=a b' -u -e "$target" -- env
expect $'ONE=x\nTWO=a b\nTHREE=3' -u --env --env ONE=x -e THREE=3 "$target" -- env
expect 'A=b' -u --clear-env --env=A=b "$target" -- env
[[ $(MARK=m "$nsctl" exec -u "$target" -- printenv MARK) == m ]] || fail "the environment is not passed on"
kill "$target"
wait "$target" 2>/dev/null

# All capabilities stay, whatever the uid is.
unshare --user sleep 1000 &
target=$!
until [[ $(cat "/proc/$target/comm") == sleep ]]; do sleep 0.01; done
echo '0 0 4294967295' | tee "/proc/$target/uid_map" >"/proc/$target/gid_map"
all=$(lines CapBnd "$target" | tr -dc 0-9a-f | sed 's/^b*d*//')
seen=$("$nsctl" exec -U -S 5 -G 6 --keep-caps "$target" -- grep -e ^CapEff -e ^Uid /proc/self/status)
[[ $seen == $'Uid:\t5\t5\t5\t5\nCapEff:\t'*"${all: -8}" ]] || fail "--keep-caps: $seen"
kill "$target"
wait "$target" 2>/dev/null

# Which capability is missing in which user namespace, and which id is not mapped in it.
own=$(readlink /proc/self/ns/user)
# With the supplementary groups 10 and 20.
without() {
  local capability=$1
  shift
  setpriv --groups=10,20 --bounding-set="-$capability" --inh-caps="-$capability" "$@"
}
refuse() {
  local wanted=$1 seen
  shift
  seen=$("$@" 2>&1)
  [[ $? == 125 && $seen == "nsctl: exec: $wanted" ]] || fail "$*: \"$seen\", not \"$wanted\""
}
nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
denied="openat /proc/$scene/ns/user: Permission denied (EACCES)"
# shellcheck disable=SC2086
refuse "not allowed to look at process $scene: needs CAP_SYS_PTRACE in $own: $denied" \
  $nobody "$nsctl" exec "$scene" -- true
# shellcheck disable=SC2086
seen=$($nobody "$nsctl" exec --dry-run "$scene" 2>/dev/null | grep ^fail | sort -u | head -n 1)
[[ $seen == "fail  cgroup of process $scene: needs CAP_SYS_PTRACE in $own" ]] || fail "plan: $seen"
seen=$(unshare -Ur sh -c 'readlink /proc/self/ns/user; exec "$0" exec "$1" -- true' "$nsctl" "$scene" 2>&1)
[[ $seen == *"needs CAP_SYS_PTRACE in the user namespace of process $scene, which is not below the caller's ${seen%%$'\n'*}: $denied" ]] ||
  fail "from a user namespace: $seen"
refuse "setuid: Operation not permitted (EPERM): needs CAP_SETUID in $own" \
  without setuid "$nsctl" exec -u -S 33 "$scene" -- true
refuse "setgroups: Operation not permitted (EPERM): needs CAP_SETGID in $own" \
  without setgid "$nsctl" exec -u -G 33 "$scene" -- true

# What a rootless container forbids. Whoever has no groups to lose is not told of it.
outer=$scene
# shellcheck disable=SC2086
if start_scene '--user --map-root-user --uts --net' $nobody; then
  inner=$(readlink "/proc/$scene/ns/user")
  refuse "setuid: Invalid argument (EINVAL): uid 5 is not mapped in $inner" \
    "$nsctl" exec -S 5 "$scene" -- true
  refuse "setgid: Invalid argument (EINVAL): gid 5 is not mapped in $inner" \
    "$nsctl" exec -G 5 "$scene" -- true
  expect_stay() { [[ $1 == "$2" ]] || fail "groups that stay: \"$1\", not \"$2\""; }
  expect_stay "$(setpriv --groups 10,20 "$nsctl" exec "$scene" -- grep ^Groups /proc/self/status 2>&1)" \
    "Groups:	 "
  stay="the supplementary groups stay: setgroups is forbidden in $inner"
  expect_stay "$(without setgid "$nsctl" exec "$scene" -- sh -c 'sleep 0.1; grep ^Groups /proc/self/status' 2>&1)" \
    "nsctl: exec: $stay"$'\nGroups:\t65534 65534 '
  without setgid "$nsctl" exec --report=stay.json "$scene" -- true 2>/dev/null
  grep -qF "$stay" stay.json || fail "the report does not say that groups stay: $(cat stay.json)"
  # shellcheck disable=SC2086
  $nobody "$nsctl" exec -G 0 "$scene" -- true || fail "nothing would change, and yet it failed"
  # shellcheck disable=SC2086
  refuse "setgroups: Operation not permitted (EPERM): $inner forbids setgroups" \
    setpriv --reuid=65534 --regid=65534 --groups=10 "$nsctl" exec -G 0 "$scene" -- true
fi
scene=$outer

# Moving to the target's cgroup.
cgroups=$(grep -m 1 -e ' - cgroup2 ' /proc/self/mountinfo | cut -d ' ' -f 5)
if [[ -n $cgroups ]] && mkdir "$cgroups/nsctl_exec_test.$$" 2>/dev/null; then
  sleep 1000 &
  target=$!
  if echo "$target" >"$cgroups/nsctl_exec_test.$$/cgroup.procs" 2>/dev/null; then
    expect "$(cat "/proc/$target/cgroup")" -u -c "$target" -- cat /proc/self/cgroup
  fi
  kill "$target"
  wait "$target" 2>/dev/null
  rmdir "$cgroups/nsctl_exec_test.$$"
fi

finish
