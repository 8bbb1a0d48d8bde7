#!/bin/bash
# `nsctl exec -it`: a terminal of its own for the command, and the user's one as it was afterwards.
set -uo pipefail

readonly nsctl=$PWD/$1
# shellcheck source=cmd/exec_test_lib.sh
source "$PWD/$2"
cd "$TEST_TMPDIR" || exit 1

if ! command -v script >/dev/null || ! start_scene '--mount --uts --pid'; then
  echo "SKIPPED: needs script(1), and namespaces"
  exit 0
fi

# What a user sees who types $1 into a shell on a terminal of 33 lines and 99 columns.
on_terminal() {
  script -qec "stty rows 33 cols 99; $1" /dev/null </dev/null | tr -d '\0\r\b' | sed 's/^^@//'
}

expect() {
  local wanted=$1 seen
  seen=$(on_terminal "$2")
  [[ $seen == "$wanted" ]] || fail "$2: shows \"$seen\", not \"$wanted\""
}

expect '33 99' "'$nsctl' exec -it $scene -- stty size"
expect $'terminal\n5' "'$nsctl' exec -it $scene -- sh -c 'test -t 0 -a -t 1 -a -t 2 && echo terminal; exit 5'; echo \$?"
# Another terminal than the user's, and its session is the command's own.
expect 'own' "here=\$(ps -o tty= -p \$\$); '$nsctl' exec -it $scene -- sh -c 'there=\$(ps -o tty= -p \$\$); test \"\$0\" != \"\$there\" && echo own' \"\$here\""
expect 'same' "before=\$(stty -g); '$nsctl' exec -it $scene -- stty raw -echo; test \"\$(stty -g)\" = \"\$before\" && echo same"
expect $'125\nsame' "before=\$(stty -g); '$nsctl' exec -it 4194304 2>/dev/null; echo \$?; test \"\$(stty -g)\" = \"\$before\" && echo same"
expect $'143\nsame' "before=\$(stty -g); '$nsctl' exec -it $scene -- sh -c 'kill -TERM \$\$'; echo \$?; test \"\$(stty -g)\" = \"\$before\" && echo same"

# Without a terminal: -it makes one all the same, -t as nsenter's -t does not.
# shellcheck disable=SC2016
seen=$(echo typed | "$nsctl" exec -it "$scene" -- sh -c 'read -r line; echo "got $line"' | tr -d '\r')
[[ $seen == $'typed\ngot typed' ]] || fail "-it in a pipe shows \"$seen\""
seen=$("$nsctl" exec -t "$scene" -- sh -c 'test -t 1 || echo none' </dev/null)
[[ $seen == none ]] || fail "-t in a pipe shows \"$seen\""

# What is typed reaches the command: control-C its processes, and the size follows the window.
if command -v tmux >/dev/null; then
  # The path of a socket is short.
  sockets=$(mktemp -d)
  export TERM=screen
  tmux() { command tmux -S "$sockets/tmux" "$@"; }
  await() {
    for _ in $(seq 300); do
      tmux capture-pane -p | grep -qx -e "$1" && return 0
      sleep 0.02
    done
    fail "tmux: no line \"$1\" in \"$(tmux capture-pane -p | grep .)\""
  }
  # shellcheck disable=SC2016
  inner='trap "stty size" WINCH; trap "echo interrupted" INT; stty size; while :; do sleep 0.02; done'
  TMUX='' tmux -f /dev/null new-session -d -x 80 -y 24 "'$nsctl' exec -it $scene -- sh -c '$inner'"
  await '24 80\|23 80'
  tmux send-keys C-c
  await '.*interrupted'
  tmux set-option -g window-size manual >/dev/null
  tmux resize-window -x 70 -y 20
  await '20 70\|19 70'
  tmux kill-server
  rm -r "$sockets"
fi

finish
