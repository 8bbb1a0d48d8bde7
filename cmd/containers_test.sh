#!/bin/bash
# Runs nsctl against a daemon that speaks Docker's API and tells of containers which the test made by
# hand, on the running host. $1 is nsctl, $2 the daemon.
set -u
export LC_ALL=C.UTF-8

nsctl=$1
daemon=$(realpath "$2")
failed=0
scene=
children=()
daemons=()

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  local pid
  for pid in "${children[@]}"; do
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  [[ -n $scene ]] && rm -rf -- "$scene"
}
trap cleanup EXIT

if ! unshare --net true 2>/dev/null; then
  echo "SKIPPED: no network namespace can be made here (CAP_SYS_ADMIN)"
  exit 0
fi
scene=$(mktemp -d)

# expect WHAT TEXT OUTPUT: OUTPUT has TEXT in it.
expect() {
  [[ $3 == *"$2"* ]] || fail "$1: no «$2» in:"$'\n'"$3"
}

# start_container NAME: processes in namespaces of their own, the first of which is $container.
start_container() {
  local ready=$scene/$1.ready
  mkfifo "$ready"
  # shellcheck disable=SC2016 # for the inner shell
  unshare --pid --fork --kill-child unshare --mount --uts --net --mount-proc sh -c '
    hostname "$1" && mount -t tmpfs none /mnt && echo "file of $1" >/mnt/marker || exit
    sleep 1000 &
    echo ready >"$2"
    exec sleep 1001' sh "$1" "$ready" &
  children+=($!)
  local shim=$! line
  read -r line <"$ready" || fail "container $1 did not start"
  container=$(pgrep -P "$shim" | head -1)
}

# start_daemon NUMBER: its commands go to descriptor 10+NUMBER.
start_daemon() {
  mkfifo "$scene/in$1" "$scene/out$1"
  "${@:2}" "$daemon" "$scene/docker$1.sock" <"$scene/in$1" >"$scene/out$1" &
  children+=($!)
  daemons[$1]=$!
  eval "exec $((10 + $1))>\"\$scene/in$1\" $((20 + $1))<\"\$scene/out$1\""
  answer "$1"
}
answer() {
  local line
  read -r -t 20 line <&$((20 + $1)) || fail "daemon $1 does not answer"
}
tell() {
  echo "${*:2}" >&$((10 + $1))
  answer "$1"
}

start_container web
web=$container
start_container db
db=$container
start_daemon 1
tell 1 start shop-web-1 "$web" com.docker.compose.project=shop com.docker.compose.service=web
tell 1 start db "$db"
tell 1 pause db
id=$(printf shop-web-1 | sha256sum | cut -c1-64)

text=$("$nsctl" containers 2>&1)
expect "the tree" "docker 20.10.24 (" "$text"
expect "the tree" "project \"shop\"" "$text"
expect "the tree" "\"shop-web-1\" ($web) \"busybox\"" "$text"
expect "the tree" "\"db\" ($db) paused" "$text"
text=$("$nsctl" containers --engine docker -c NAME,ID,ENGINE,STATE,PID,PROJECT --noheadings 2>&1 |
  tr -s ' ')
expect "the table" "shop-web-1 $id docker running $web shop" "$text"
text=$("$nsctl" containers --state paused -o jsonl 2>&1)
expect "JSON" "\"name\":\"db\"" "$text"
expect "JSON" "\"pid\":$db" "$text"
[[ $text == *shop-web-1* ]] && fail "--state lets others pass: $text"

# Every form of a target, in every command.
for target in container:shop-web-1 shop/web docker/shop-web-1 "${id:0:12}"; do
  expect "exec $target" web "$("$nsctl" exec "$target" -- hostname 2>&1)"
  expect "fs cat $target" "file of web" "$("$nsctl" fs cat "$target:/mnt/marker" 2>&1)"
done
expect "fs ls" marker "$("$nsctl" fs ls shop/web:/mnt 2>&1)"
expect "mounts" /mnt "$("$nsctl" mounts shop/web 2>&1)"
expect "caps" "$web" "$("$nsctl" caps shop/web 2>&1)"
text=$("$nsctl" inspect shop/web 2>&1)
expect "inspect" "$id" "$text"
expect "inspect" "sleep 1000" "$text"
expect "inspect of a process" "shop-web-1 ($id) of docker" "$("$nsctl" inspect "$web" 2>&1)"
net=$(readlink "/proc/$web/ns/net")
expect "why" "in \"container shop-web-1 of docker\"" "$("$nsctl" why "$net" 2>&1)"
expect "why of a container" "$net" "$("$nsctl" why shop/web --type net 2>&1)"
text=$("$nsctl" list --type net -c NS,CONTAINER,ENGINE,PROJECT,IMAGE --noheadings 2>&1 | tr -s ' ')
expect "list" "${net//[^0-9]/} shop-web-1 docker shop busybox" "$text"
expect "tree" "in \"container shop-web-1 of docker\"" "$("$nsctl" tree pid --details 2>&1)"
text=$("$nsctl" ps --pid container:shop-web-1 -c NAME,CONTAINER --noheadings 2>&1)
[[ $(grep -c 'sleep *shop-web-1' <<<"$text") == 1 ]] || fail "ps --pid: $text"
text=$("$nsctl" ps -l -c NAME,CONTAINER --noheadings 2>/dev/null)
[[ $(grep -c 'sleep *shop-web-1' <<<"$text") == 2 ]] || fail "ps shows not all: $text"
"$nsctl" snapshot -o pb >"$scene/saved" 2>/dev/null
expect "a snapshot" "$id" "$("$nsctl" inspect --from "$scene/saved" shop/web 2>&1)"
text=$("$nsctl" snapshot --from "$scene/saved" -o lxkns 2>/dev/null)
expect "lxkns" "\"$web\": {" "$text"
expect "lxkns" "\"com.docker.compose.project\"" "$text"

# Engines by their keys, as they are shown.
key=docker:${daemons[1]}
expect "exec $key" web "$("$nsctl" exec "$key/shop-web-1" -- hostname 2>&1)"
expect "fs cat $key" "file of web" "$("$nsctl" fs cat "$key/shop-web-1:/mnt/marker" 2>&1)"
text=$("$nsctl" containers --engine "$key" --list --noheadings 2>&1)
expect "--engine $key" shop-web-1 "$text"

# What does not run is shown on request.
tell 1 flash job 3
text=$("$nsctl" containers 2>&1)
[[ $text == *'"job"'* ]] && fail "containers that ended are listed unasked: $text"
for option in --all -a '--state exited'; do
  # shellcheck disable=SC2086 # two words
  text=$("$nsctl" containers $option --list --engine "$key" 2>&1 | tr -s ' ')
  expect "containers $option" "job $(printf job | sha256sum | cut -c1-64) docker exited -" "$text"
  expect "containers $option" " 3 2023-11-14T22:14:00Z" "$text"
done
[[ $text == *shop-web-1* ]] && fail "--state exited shows what runs: $text"
expect "the tree" '"job" exited with 3 at 2023-11-14T22:14:00Z' "$("$nsctl" containers --all 2>&1)"
text=$("$nsctl" exec container:job -- true 2>&1)
[[ $? == 125 ]] || fail "a container that ended: status"
expect "a container that ended" "container job is not running (exited, status 3, " "$text"
expect "files of what ended" "is not running (exited, status 3, " \
  "$("$nsctl" fs cat docker/job:/etc/passwd 2>&1)"

# What cannot be.
"$nsctl" exec container:db -- true 2>"$scene/err"
[[ $? == 125 ]] || fail "a paused container: status"
expect "a paused container" "is paused" "$(cat "$scene/err")"
expect "files of a paused container" "file of db" "$("$nsctl" fs cat container:db:/mnt/marker 2>&1)"
"$nsctl" exec container:nobody -- true 2>"$scene/err"
[[ $? == 125 ]] || fail "no container: status"
expect "no container" "no container" "$(cat "$scene/err")"
start_daemon 2
tell 2 start db "$web"
text=$("$nsctl" inspect container:db 2>&1) && fail "an ambiguous name passes"
expect "an ambiguous name" "means 2 containers" "$text"
tell 2 die db

# A daemon in a user namespace, as any user can make one, with a container of the host's name and id.
start_daemon 5 unshare --user --map-root-user
ready=$scene/evil.ready
mkfifo "$ready"
# shellcheck disable=SC2016 # for the inner shell
nsenter -t "${daemons[5]}" --user --preserve-credentials unshare --pid --fork --kill-child --uts \
  sh -c 'hostname evil && echo ready >"$1" && exec sleep 1001' sh "$ready" &
children+=($!)
read -r line <"$ready" || fail "no container in a user namespace"
evil=$(pgrep -P "${children[-1]}" | head -1)
tell 5 start shop-web-1 "$evil" com.docker.compose.project=shop com.docker.compose.service=web
for target in container:shop-web-1 shop/web docker/shop-web-1 "${id:0:12}" "$id"; do
  expect "exec $target" web "$("$nsctl" exec "$target" -- hostname 2>&1)"
done
expect "a foreign engine" evil "$("$nsctl" exec "docker:${daemons[5]}/shop-web-1" -- hostname 2>&1)"
tell 1 exit shop-web-1 3
for target in container:shop-web-1 shop/web docker/shop-web-1 "${id:0:12}" "$id"; do
  text=$("$nsctl" exec "$target" -- hostname 2>&1)
  [[ $? == 125 ]] || fail "exec $target goes to a foreign engine's: $text"
  expect "exec $target" "is not running" "$text"
done
tell 1 start shop-web-1 "$web" com.docker.compose.project=shop com.docker.compose.service=web
tell 5 die shop-web-1
tell 5 start new "$evil"
text=$("$nsctl" exec container:new -- hostname 2>"$scene/err")
expect "a container that the host has not" evil "$text"
expect "whose it is" "no engine of the host has one" "$(cat "$scene/err")"
tell 5 die new
kill -KILL "${daemons[5]}" "$evil"

# A daemon in the container, in the host's PID namespace, that tells lies of the host.
start_daemon 3 nsenter -t "$web" --mount --uts --net
tell 3 start liar "$PPID"
tell 3 start mine "$web"
text=$("$nsctl" ps -l -c PID,CONTAINER --noheadings 2>/dev/null | tr -s ' ')
[[ $text == *liar* ]] && fail "a container's engine decorates the host: $text"
tell 3 die liar
tell 3 die mine

# Changes, each once and at once. Other engines of this host may have some too.
mkfifo "$scene/changes"
"$nsctl" watch --containers --initial -o jsonl >"$scene/changes" 2>/dev/null &
children+=($!)
watcher=$!
exec 9<"$scene/changes"
# next_change NAME: $line is the next one of this container.
next_change() {
  while read -r -t 20 line <&9; do
    [[ $line == *"\"name\":\"$1\""* ]] && return
  done
  fail "no change of $1"
}
next_change shop-web-1
expect "what is there at the beginning" "\"kind\":\"present\"" "$line"
start_container late
for change in start:started pause:paused unpause:unpaused; do
  words=()
  [[ $change == start:* ]] && words=("$container")
  tell 1 "${change%:*}" late "${words[@]}"
  next_change late
  expect "a change" "\"kind\":\"${change#*:}\"" "$line"
done
kill -KILL "$container"
next_change late
expect "the end" "\"kind\":\"exited\"" "$line"
# A life that is too short to be seen.
tell 1 flash quick 7
next_change quick
expect "a short life" "\"kind\":\"started\"" "$line"
[[ $line == *'"pid"'* ]] && fail "a short life has a PID: $line"
next_change quick
expect "the end of a short life" "\"kind\":\"exited\"" "$line"
expect "the end of a short life" "\"exit_code\":7" "$line"
# An engine's containers outlive it, and their ends are told.
start_container orphan
start_daemon 4
tell 4 start orphan "$container"
next_change orphan
kill -KILL "${daemons[4]}"
wait "${daemons[4]}" 2>/dev/null
kill -KILL "$container"
next_change orphan
expect "the end of what outlived its engine" "\"kind\":\"exited\"" "$line"
# bash has its jobs ignore SIGINT.
kill -TERM "$watcher"
wait "$watcher" || fail "an interrupted watch ends with $?"
tell 1 die late
timeout -s INT 20 "$nsctl" watch --containers --timeout 1s >"$scene/out" 2>&1 ||
  fail "watch --timeout ends with $?"
grep -E 'shop-web-1|late|"db"' "$scene/out" && fail "nothing changed"
text=$("$nsctl" watch --containers --initial --count 1 2>&1) || fail "watch --count ends with $?"
[[ $(grep -vc '^nsctl: ' <<<"$text") == 1 ]] || fail "--count 1: $text"

# A daemon that never answers costs as long as one is ready to wait, and is told.
tell 2 hang
begin=${EPOCHREALTIME/./}
text=$("$nsctl" containers --wait 4s 2>"$scene/err")
took=$((${EPOCHREALTIME/./} - begin))
((took < 15000000)) || fail "an engine that hangs costs $took µs"
expect "beside one that hangs" "\"shop-web-1\" ($web)" "$text"
expect "one that hangs" "missing: " "$(cat "$scene/err")"
"$nsctl" containers --wait 500ms --strict >"$scene/out" 2>&1
[[ $? == 3 ]] || fail "--strict lets a silent engine pass"
text=$("$nsctl" containers --wait 500ms --all-engines -o json 2>/dev/null)
expect "--all-engines" "\"key\": \"docker:${daemons[2]}@" "$text"

exit "$failed"
