# shellcheck shell=bash
# Sourced. Debian's kernels of several series, by package lists of their own: the
# machine's lists, packages and sources stay as they are.

# The series that Debian has, or had; newest of each.
# shellcheck disable=SC2034 # for those who source this
KERNEL_SERIES=(5.10 6.1 6.12 6.16 6.17 6.18 6.19 7.0 7.1 7.2 7.3)

# What tests need and a kernel has as modules, which no program loads there; in an
# order in which they can be loaded.
_KERNEL_MODULES=(unix_diag inet_diag tcp_diag udp_diag raw_diag netlink_diag af_packet
  af_packet_diag fuse)

# Package lists older than so many minutes are fetched again.
_KERNEL_LISTS_AGE=1440

# kernels_prepare CACHE: fetches package lists into CACHE.
kernels_prepare() {
  local site security suite key=/usr/share/keyrings/debian-archive-keyring.gpg
  _kernel_cache=$1
  mkdir -p -- "$_kernel_cache"/apt/{lists,cache/archives}/partial
  local age=("$_kernel_cache/apt/fetched" -mmin "+$_KERNEL_LISTS_AGE")
  if [[ -s $_kernel_cache/apt/names && -e ${age[0]} && -z $(find "${age[@]}") ]]; then
    return 0
  fi
  # From where the machine gets its own packages.
  site=$(_kernel_site Debian)
  security=$(_kernel_site Debian-Security)
  {
    for suite in bullseye bookworm bookworm-backports trixie trixie-backports sid; do
      echo "deb [signed-by=$key] ${site:?} $suite main"
    done
    for suite in bullseye bookworm trixie; do
      echo "deb [signed-by=$key] ${security:-$site-security} $suite-security main"
    done
  } >"$_kernel_cache/apt/sources.list"
  # A suite may be gone; what the others have is enough then.
  _kernel_apt apt-get -qq update >&2 || true
  _kernel_apt apt-cache pkgnames linux-image- >"$_kernel_cache/apt/names"
  touch -- "$_kernel_cache/apt/fetched"
}

# kernel_fetch SERIES: prints the path of the newest kernel of SERIES, which it
# downloads unless it is in the cache; beside it are its modules, in an archive
# for an initramfs (.cpio). Where nothing can be fetched, one that is there is
# good enough.
kernel_fetch() {
  local package folder image
  package=$(_kernel_newest "$1")
  if [[ -z $package ]]; then
    image=$(find "$_kernel_cache/images" -name "vmlinuz-$1.*[^o]" 2>/dev/null | sort -V | tail -n 1)
    [[ -n $image ]] || echo "there is no kernel $1" >&2
    printf '%s\n' "$image"
    [[ -n $image ]]
    return
  fi
  image=$_kernel_cache/images/vmlinuz-${package#linux-image-}
  if [[ ! -s $image || ! -s $image.cpio ]]; then
    folder=$(mktemp -d -- "$_kernel_cache/fetch.XXXXXX")
    _kernel_unpack "$package" "$folder" >&2
    mkdir -p -- "${image%/*}"
    _kernel_pack_modules "$folder" >"$image.cpio"
    find "$folder" -type f -name 'vmlinuz*' -exec mv -- '{}' "$image" ';' -quit
    rm -rf -- "$folder"
  fi
  [[ -s $image ]] || {
    echo "$package could not be fetched" >&2
    return 1
  }
  printf '%s\n' "$image"
}

_kernel_site() {
  # shellcheck disable=SC2016 # the words in $() are apt's
  apt-get indextargets --format '$(SITE) $(LABEL)' 'Created-By: Packages' |
    awk -v label="$1" '$2 == label { print $1; exit }'
}

_kernel_apt() {
  local folder=$_kernel_cache/apt program=$1
  shift
  "$program" -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State::Lists="$folder/lists" -o Dir::State::status=/dev/null \
    -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root \
    -o Acquire::http::Timeout=60 -o Acquire::Retries=2 "$@"
}

# Cloud kernels are the smallest.
_kernel_newest() {
  grep -E "^linux-image-${1//./\\.}\.[0-9.]+(-[0-9]+|\+deb[0-9.]+)-cloud-amd64\$" \
    "$_kernel_cache/apt/names" | sort -V | tail -n 1
}

# From 7.2 on the image itself and the modules are in other packages,
# linux-binary-VERSION and linux-modules-VERSION.
_kernel_unpack() {
  local packages=("$1") deb module wanted=('*vmlinuz*')
  mapfile -t -O 1 packages < <(_kernel_apt apt-cache depends "$1" |
    awk '/Depends: linux-(binary|modules)-/ { print $2 }')
  (cd -- "$2" && _kernel_apt apt-get -qq download "${packages[@]}")
  for module in "${_KERNEL_MODULES[@]}"; do
    wanted+=("*/$module.ko*")
  done
  # tar fails for what is in none of them, or in another one.
  for deb in "$2"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar --extract --directory="$2" --wildcards "${wanted[@]}" 2>/dev/null || true
  done
}

# Prints an archive of the modules that were unpacked into FOLDER $1, called
# modules/NN-NAME.ko in the order in which they are to be loaded.
_kernel_pack_modules() {
  local number=10 module file pack=$1/pack
  mkdir -p -- "$pack/modules"
  for module in "${_KERNEL_MODULES[@]}"; do
    number=$((number + 1))
    file=$(find "$1" -path "$pack" -prune -o -type f -name "$module.ko*" -print -quit)
    case $file in
      '') ;; # it is part of the kernel
      *.xz) xz --decompress --stdout -- "$file" >"$pack/modules/$number-$module.ko" ;;
      *) cp -- "$file" "$pack/modules/$number-$module.ko" ;;
    esac
  done
  (cd -- "$pack" && find modules | sort | busybox cpio -o -H newc 2>/dev/null)
}

# run_on_kernels CACHE SERIES,... TARGET...: boots each kernel with nsctl, the
# scene and those kernel tests of the TARGETs that need no other file; ends with
# "N passed, N failed, N skipped".
run_on_kernels() {
  local cache=$1/kernels series=() tests=() bin scratch test one kernels=() status=0
  IFS=, read -ra series <<<"$2"
  shift 2
  kernels_prepare "$cache"
  for one in "${series[@]}"; do
    kernels+=("$one=$(kernel_fetch "$one")")
  done

  mapfile -t tests < <(nsctl_bazel query --noshow_progress \
    "let tests = kind(cc_test, attr(tags, '\\bkernel\\b', set($*))) in
     \$tests except rdeps(\$tests, attr(data, ':', deps(\$tests)))" </dev/null)
  # The same objects as for other tests, linked once more.
  nsctl_bazel build --compilation_mode=opt --linkopt=-static --linkopt=-s --symlink_prefix=/ \
    --ui_event_filters=-info --noshow_loading_progress --show_result=0 \
    //cmd:nsctl //testing/kernels:scene "${tests[@]}" >&2 </dev/null
  bin=$(nsctl_bazel info --compilation_mode=opt bazel-bin 2>/dev/null </dev/null)

  scratch=$(mktemp -d)
  mkdir -p -- "$scratch/tree/bin" "$scratch/tree/tests" "$cache/results"
  install -m 0755 -- "$NSCTL_ROOT/testing/kernels/init" "$bin/cmd/nsctl" \
    "$bin/testing/kernels/scene" "$scratch/tree"
  install -m 0755 -- "$(command -v busybox)" "$scratch/tree/bin/busybox"
  # Some tests compare with findmnt; busybox is no shell under every name.
  for one in /usr/bin/findmnt /usr/bin/dash; do
    ldd "$one" | grep -o '/[^ ]*' |
      xargs cp --dereference --parents --target-directory="$scratch/tree" -- "$one"
  done
  for test in "${tests[@]}"; do
    test=${test#//}
    install -m 0755 -- "$bin/${test/://}" "$scratch/tree/tests/${test//[:\/]/_}"
  done
  (cd -- "$scratch/tree" && find . | sort | busybox cpio -o -H newc 2>/dev/null) >"$scratch/initramfs"
  rm -rf -- "$scratch/tree"
  python3 "$NSCTL_ROOT/tools/lib/kernel_matrix.py" --initramfs="$scratch/initramfs" \
    --expectations="$NSCTL_ROOT/testing/kernels" --results="$cache/results" \
    "${kernels[@]}" || status=$?
  rm -rf -- "$scratch"
  return "$status"
}
