# shellcheck shell=bash
# Sourced. Debians of other suites, for the container engines that are newer there.

# Those with engines that Debian 12 does not have.
# shellcheck disable=SC2034 # for those who source this
ENGINE_SUITES=(trixie sid)

# suite_root SUITE CACHE: prints the folder of a Debian of SUITE with its
# engines, which is made unless it is in CACHE. What is listed for engines and
# that suite lacks is left out.
suite_root() {
  local suite=$1 root=$2/roots/$1 site wanted
  mkdir -p -- "$2/roots"
  wanted=$(packages_listed engines suite-root | sort -u)
  if [[ ! -d $root ]]; then
    echo "Making a Debian $suite in $root" >&2
    # From where this machine gets its own packages.
    # shellcheck disable=SC2016 # the words in $() are apt's
    site=$(apt-get indextargets --format '$(SITE) $(LABEL)' 'Created-By: Packages' |
      awk '$2 == "Debian" { print $1; exit }')
    rm -rf -- "$root.new"
    debootstrap --variant=minbase "$suite" "$root.new" "$site" >"$root.log" 2>&1 || {
      tail -n 20 "$root.log" >&2
      return 1
    }
    # Nothing starts for being installed.
    printf '#!/bin/sh\nexit 101\n' >"$root.new/usr/sbin/policy-rc.d"
    chmod 0755 "$root.new/usr/sbin/policy-rc.d"
    mv --no-target-directory -- "$root.new" "$root"
  fi
  # Debootstrap writes none before it is done, and a list may have grown since.
  if [[ ! -e $root.packages || $(<"$root.packages") != "$wanted" ]]; then
    # shellcheck disable=SC2086 # one argument per package
    _suite_install "$root" $wanted >>"$root.log" 2>&1 </dev/null || {
      tail -n 20 "$root.log" >&2
      return 1
    }
    printf '%s\n' "$wanted" >"$root.packages"
  fi
  printf '%s\n' "$root"
}

_suite_install() {
  # In single quotes for the shell inside; mounts end with its namespace.
  # shellcheck disable=SC2016
  unshare --mount sh -euc '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    export DEBIAN_FRONTEND=noninteractive
    # What is meant is what the mirror has, however old that is.
    chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false update
    chroot "$root" apt-cache pkgnames | sort >"$root/tmp/known"
    known=$(printf "%s\n" "$@" | sort | join - "$root/tmp/known")
    rm -f "$root/tmp/known"
    exec chroot "$root" apt-get -q --yes install --no-install-recommends $known' sh "$@"
}

# run_in_suites CACHE SUITE,... CGROUP,... TARGET...: runs those tests of real
# engines among the TARGETs that need no other file in each of these Debians;
# ends with "N passed, N failed, N skipped".
run_in_suites() {
  local cache=$1 suites=() cgroups=$3 one root roots=() tests=() bin scratch status=0
  IFS=, read -ra suites <<<"$2"
  shift 3
  for one in "${suites[@]}"; do
    root=$(suite_root "$one" "$cache")
    roots+=("$one=$root")
  done

  mapfile -t tests < <(nsctl_bazel query --noshow_progress \
    "kind(cc_test, attr(tags, '\\bengines\\b', set($*))) except attr(data, ':', set($*))" </dev/null)
  ((${#tests[@]})) || {
    echo "tools/test: no test of real engines among $*" >&2
    return 1
  }
  # Linked statically: the libraries of another Debian are others.
  nsctl_bazel build --compilation_mode=opt --linkopt=-static --linkopt=-s --symlink_prefix=/ \
    --ui_event_filters=-info --noshow_loading_progress --show_result=0 \
    "${tests[@]}" >&2 </dev/null
  bin=$(nsctl_bazel info --compilation_mode=opt bazel-bin 2>/dev/null </dev/null)

  scratch=$(mktemp -d)
  for one in "${tests[@]}"; do
    one=${one#//}
    install -D --mode=0755 --target-directory="$scratch/tests/${one%:*}" -- "$bin/${one/://}"
  done
  python3 "$NSCTL_ROOT/tools/lib/suite_tests.py" --tests="$scratch/tests" --scratch="$scratch" \
    --results="$cache/results" --cgroups="$cgroups" "${roots[@]}" || status=$?
  rm -rf --one-file-system -- "$scratch"
  return "$status"
}
