#!/bin/bash
# `nsctl exec --each`: many targets, their output, their results; --report and --dry-run on the
# running host.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
cd "$TEST_TMPDIR" || exit 1

if ! start_scene '--uts' || ! first=$scene || ! start_scene '--uts --net'; then
  echo "SKIPPED: no namespaces can be made here"
  exit 0
fi
readonly first second=$scene
nsenter -t "$first" -u hostname first
nsenter -t "$second" -u hostname second

# shellcheck disable=SC2016
out=$("$nsctl" exec --each --jobs=2 "$first" "$second" -- sh -c 'uname -n; test "$(uname -n)" = first' 2>err)
[[ $? == 1 ]] || fail "the status is not that of the first that failed"
[[ -s err ]] && fail "stderr: $(cat err)"
for line in "$first: first" "$second: second"; do
  grep -qx -e "$line" <<<"$out" || fail "no line \"$line\" in \"$out\""
done
table=$(tail -n 3 <<<"$out" | tr -s ' ' | sed 's/ [0-9]* \([01] \)/ PID \1/; s/^ //')
[[ $table == "TARGET PID STATUS ENTERED ERROR
$first PID 0 uts -
$second PID 1 uts,net -" ]] || fail "the table is \"$table\""

# As data: one record for each target, in their order, with what it wrote.
"$nsctl" exec --each -o jsonl "$second" 4194304 "$first" -- sh -c 'uname -n; printf "a\tb" >&2' >out
[[ $? == 125 ]] || fail "a target that is not there"
# shellcheck disable=SC2002
[[ $(sed 's/.*"stdout":"\([a-z]*\).*/\1/; s/.*"error":"\([^"]*\)".*/\1/' out) == "second
find process 4194304: No such process (ESRCH)
first" ]] || fail "records: $(cat out)"
grep -q '"stderr":"a\\tb"' out || fail "stderr is not in the records: $(cat out)"

# At once: both are there before either ends.
start=$(date +%s%N)
"$nsctl" exec --each --jobs=2 -o json "$first" "$second" -- sleep 0.5 >out || fail "sleep"
took=$((($(date +%s%N) - start) / 1000000))
((took < 950)) || fail "two jobs of 500 ms took $took ms"

# Lines stay whole.
out=$("$nsctl" exec --each "$first" -- printf 'no newline')
[[ $(head -n 1 <<<"$out") == "$first: no newline" ]] || fail "a last line without its end: \"$out\""

# What could drive the terminal is escaped on one, and left alone in a pipe.
escape='printf "\\033[31mred\\tx\\n"'
[[ $("$nsctl" exec --each "$first" -- sh -c "$escape" | head -n 1) == "$first: "$'\e[31mred\tx' ]] ||
  fail "an escape in a pipe is not left alone"
if command -v script >/dev/null; then
  script -qec "'$nsctl' exec --each $first -- sh -c '$escape'" /dev/null </dev/null | tr -d '\r' |
    grep -qF -e "$first: "'\x1b[31mred' || fail "an escape reaches the terminal"
fi

# nsctl that is told to end tells all, and starts no further one.
"$nsctl" exec --each -o json "$first" "$second" -- sleep 1000 >out &
sleep 0.2
kill -TERM $!
wait $!
[[ $? == 143 ]] || fail "SIGTERM"
grep -q 'not started, since nsctl was told to end' out || fail "the second was started: $(cat out)"

# Where one is stopped, those who wait for it go on: SIGCONT is passed on, telling it to end wakes
# it, and each has a limit of time.
"$nsctl" exec --each "$first" "$second" -- sh -c 'kill -STOP $$; uname -n' >out &
sleep 0.3
kill -CONT $!
sleep 0.3
kill -CONT $!
wait $!
[[ $? == 0 && $(grep -c -e ': first$' -e ': second$' out) == 2 ]] || fail "SIGCONT: $(cat out)"
"$nsctl" exec --each "$first" "$second" -- sh -c 'kill -STOP $$; sleep 1000' >out &
sleep 0.3
kill -TERM $!
wait $!
[[ $? == 143 ]] || fail "SIGTERM to one that is stopped: $(cat out)"
SECONDS=0
"$nsctl" exec --each --timeout=0.2 "$first" "$second" -- sh -c 'kill -STOP $$; sleep 1000' >out
[[ $? == 143 && $(grep -c -F 'ended after 0.2 s, by --timeout' out) == 2 ]] ||
  fail "--timeout: $(cat out)"
((SECONDS < 10)) || fail "--timeout took $SECONDS s"

# What became of each namespace.
"$nsctl" exec --report=report.json "$second" -- true || fail "--report"
net=$(readlink "/proc/$second/ns/net" | tr -dc 0-9)
tr -d ' \n' <report.json | grep -q "\"type\":\"net\",\"before\":[0-9]*,\"wanted\":$net,\"after\":$net" ||
  fail "report: $(cat report.json)"
"$nsctl" exec --report=/nosuch/x "$second" -- touch started 2>/dev/null
[[ $? == 125 && ! -e started ]] || fail "the command ran though its report cannot be written"

# A plan enters nothing and runs nothing.
plan=$("$nsctl" exec --dry-run "$second" -- touch started)
[[ $? == 0 && ! -e started ]] || fail "--dry-run ran the command"
own=$(readlink /proc/self/ns/user)
[[ $(head -n 2 <<<"$plan") == "enter $(readlink "/proc/$second/ns/uts") of process $second, owned by $own
enter net:[$net] of process $second, owned by $own" ]] || fail "plan: $plan"

finish
