# Sourced by ./verify, ./quickstart and ./bench: finds the JDK and installs what else is missing from Debian's packages.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The major version of the JDK in the directory $1 (17, 25, ...), or nothing where there is no JDK.
jdk_major() {
  [ -x "$1/bin/javac" ] || return 0
  "$1/bin/javac" -version 2>&1 | sed -nE 's/^javac ([0-9]+).*/\1/p'
}

# The home of a JDK of major version $1: $JAVA_HOME, $JAVA<version>_HOME, the javac on the PATH, or what stands under
# /usr/lib/jvm. Prints nothing where there is none.
find_jdk() {
  local own="JAVA$1_HOME" home
  for home in "${!own:-}" "${JAVA_HOME:-}" "$(path_jdk)" /usr/lib/jvm/*; do
    if [ -n "$home" ] && [ "$(jdk_major "$home")" = "$1" ]; then
      printf '%s\n' "$home"
      return
    fi
  done
}

path_jdk() {
  local javac
  javac=$(command -v javac) || return 0
  javac=$(readlink -f "$javac")
  printf '%s\n' "${javac%/bin/javac}"
}

# Sets and exports JAVA_HOME: the caller's own where it is set, else Java 17, else whatever newer JDK is on the PATH.
need_jdk() {
  local home=${JAVA_HOME:-} major
  [ -n "$home" ] || home=$(find_jdk 17)
  [ -n "$home" ] || home=$(path_jdk)
  [ -n "$home" ] || die "no JDK found: install one of version 17 or newer (openjdk-17-jdk-headless), or set JAVA_HOME"
  major=$(jdk_major "$home")
  [ -n "$major" ] || die "$home has no bin/javac: JAVA_HOME must name a JDK, a JRE is not enough"
  [ "$major" -ge 17 ] || die "$home is Java $major: version 17 or newer is needed"
  export JAVA_HOME=$home
}

# Each need is package=what-shows-that-it-is-there: a program, a file (a shell pattern) if it starts with a slash, or a
# program without shared libraries (static:, since Debian has two packages for /bin/busybox and only the static one can be
# bind-mounted into any root file system). What is there already is left alone, from wherever it came.
RUN_NEEDS=(
  maven=mvn
  lxc=lxc-start
  "liblxc1=/usr/lib/*/liblxc.so.1"
  "liblzma5=/usr/lib/*/liblzma.so.5"
  btrfs-progs=mkfs.btrfs
  busybox-static=static:/bin/busybox
  uidmap=newuidmap
  util-linux=setpriv
  mount=losetup
  e2fsprogs=mkfs.ext4
  xfsprogs=mkfs.xfs
  debootstrap=debootstrap
  debian-archive-keyring=/usr/share/keyrings/debian-archive-keyring.gpg
)
TEST_NEEDS=(
  gcc=gcc
  "libc6-dev=/usr/include/*/sys/mount.h"
  lxc-dev=/usr/include/lxc/lxccontainer.h
  liblzma-dev=/usr/include/lzma.h
  squashfs-tools=mksquashfs
  tini=tini-static
  docker-registry=docker-registry
  skopeo=skopeo
  umoci=umoci
  qemu-system-x86=qemu-system-x86_64
  qemu-system-common=/usr/lib/qemu/virtiofsd
  qemu-utils=qemu-img
  ovmf=/usr/share/OVMF/OVMF_CODE_4M.fd
  swtpm=swtpm
  binutils=objcopy
  make=make
  "libelf1=/usr/lib/*/libelf.so.1"
  iproute2=ip
)
BENCH_NEEDS=(
  squashfs-tools=mksquashfs
  zstd=zstd
  xz-utils=xz
  bzip2=bzip2
  lz4=lz4
)
QMP_NEEDS=(
  qemu-system-x86=qemu-system-x86_64
  python3=python3
)
VM_NEEDS=(
  qemu-system-x86=qemu-system-x86_64
  qemu-utils=qemu-img
  binutils=objcopy
)
LAB_NEEDS=(
  "${VM_NEEDS[@]}"
  qemu-system-common=/usr/lib/qemu/virtiofsd
  make=make
  "libelf1=/usr/lib/*/libelf.so.1"
)
UNPACK_NEEDS=(
  libarchive-tools=bsdtar
  docker-registry=docker-registry
  skopeo=skopeo
  umoci=umoci
)

is_there() {
  local file
  case $1 in
    static:*)
      [ -x "${1#static:}" ] && ! ldd "${1#static:}" >/dev/null 2>&1
      ;;
    /*)
      for file in $1; do
        [ -e "$file" ] && return 0
      done
      return 1
      ;;
    # A user's PATH often lacks the sbin directories where mkfs.* and debootstrap live.
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
  esac
}

# need_packages <why> <need>...
need_packages() {
  local why=$1 need missing=()
  shift
  for need in "$@"; do
    is_there "${need#*=}" || missing+=("${need%%=*}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    die "missing for $why: ${missing[*]} (Debian's names); only Debian's packages can be installed from here, install these by hand"
  [ "$(id -u)" = 0 ] ||
    die "missing for $why, and only root can install it: apt-get install --no-install-recommends ${missing[*]}"
  say "Installing from Debian's packages for $why: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    die "Debian's packages could not be installed: ${missing[*]}"
  fi
  rm -f "$log"
}
