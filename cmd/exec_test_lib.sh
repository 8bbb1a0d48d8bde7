# Shared by the tests of `nsctl exec`: scenes to go into, and comparisons. To be sourced.
# shellcheck shell=bash

failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# Starts a process in new namespaces: unshare's options in $1, who runs unshare in the rest. Sets
# `scene` to its PID, as it is here, and notes it for end_scenes. False where that is not allowed.
start_scene() {
  local options=$1 starter child
  shift
  # shellcheck disable=SC2086 # options are words
  "$@" unshare $options --fork sleep 1000 2>/dev/null &
  starter=$!
  for _ in $(seq 500); do
    read -r child _ 2>/dev/null <"/proc/$starter/task/$starter/children"
    if [[ -n $child && $(tr '\0' ' ' 2>/dev/null <"/proc/$child/cmdline") == 'sleep 1000 ' ]]; then
      # shellcheck disable=SC2034 # for whoever sources this
      scene=$child
      scenes+=("$child")
      return 0
    fi
    kill -0 "$starter" 2>/dev/null || return 1
    sleep 0.01
  done
  return 1
}

scenes=()
end_scenes() {
  ((${#scenes[@]} == 0)) || kill -KILL "${scenes[@]}"
  wait
}

finish() {
  # Whatever nsctl started must be gone by now.
  local left
  # shellcheck disable=SC2009 # its arguments are wanted
  left=$(ps -o comm=,args= --ppid $$ | grep -v -w -e ^unshare -e ^nsenter -e ^ps -e "$(basename "$0")")
  [[ -z $left ]] || fail "processes are left: $left"
  end_scenes
  ((failures == 0))
}
