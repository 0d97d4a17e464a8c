#!/usr/bin/env bash
# labvm.sh [<directory>]: builds the lab VM, in which tests find a real OpenZFS and device-mapper under emulation, from Debian's
# packages; docs/lab-vm.md describes it. The directory is target/labvm, or what STAPES_LABVM says: several clones may share one.
# Building takes five minutes, most of them for OpenZFS' modules; a second call finds it built and returns at once. Newer packages
# come when the directory is deleted. Needs root, amd64 and Debian 12; nothing is installed on this machine.
#
# What is in the directory then:
#   vmlinux, initramfs  the kernel of linux-image-cloud-amd64, and what leads to the root file system
#   root.ext4           the root file system, read-only: LVM, ZFS, Btrfs, XFS, Java 17, the agent of QEMU
#   disk.qcow2          the same, and with
#   metadata.tar        a split image
#   cmdline             the kernel's command line
#   zfs.ko, spl.ko      the modules, kept when the rest is built anew
#   versions            the packages, one "package version" a line

set -Eeuo pipefail
labvm_support=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=build-support/guest.sh
. "$labvm_support/guest.sh"

LABVM_PACKAGES=(bash coreutils grep sed gawk findutils diffutils procps hostname tar gzip util-linux mount kmod udev iproute2
  zfsutils-linux lvm2 lvm2-lockd sanlock thin-provisioning-tools btrfs-progs xfsprogs e2fsprogs busybox-static openjdk-17-jre-headless
  qemu-guest-agent lz4)

# What those depend on and nobody calls here.
LABVM_WITHOUT='^(perl|perl-.*|libperl.*|python3.*|libpython3.*|dpkg|usrmerge|debconf|adduser|passwd|media-types|ca-certificates.*)_'

# Rules of udev that stay: nodes and links of disks, device-mapper, LVM and zvols. The others cost seconds under emulation.
LABVM_RULES=(50-udev-default 55-dm 56-lvm 60-block 60-persistent-storage 60-persistent-storage-dm 60-zvol 64-btrfs 69-lvm
  90-zfs 95-dm-notify)

LABVM_CMDLINE="$GUEST_CMDLINE root=/dev/vda ro"

labvm_key() {
  (cd "$labvm_support" && find labvm.sh guest.sh peers.sh labvm guest -type f | sort | xargs sha256sum) |
    sha256sum | cut -d ' ' -f 1
}

labvm_steps() {
  local dir=$1 work=$1/work
  [ "$(dpkg --print-architecture)" = amd64 ] || guest_fail "the lab VM can be built on amd64 alone"
  [ "$(id -u)" = 0 ] || guest_fail "the lab VM can be built by root alone"
  labvm_step "Lists of packages" labvm_lists "$work" "$dir/log"
  [ -e "$dir/kernel.deb" ] && [ -e "$dir/modules.versions" ] ||
    labvm_step "OpenZFS' modules" labvm_zfs "$work" "$dir"
  labvm_step "Packages" labvm_packages "$work" "$dir"
  labvm_step "Root file system" labvm_root "$work" "$dir"
  labvm_step "Image" labvm_image "$work"
}

# labvm_step <title> <command>...: runs it and says how long it took.
labvm_step() {
  local title=$1 start=$SECONDS
  shift
  "$@"
  printf 'Lab VM: %s: %s s\n' "$title" "$((SECONDS - start))"
}

# The machine's own sources and their backports, both with contrib, where OpenZFS' modules are.
labvm_lists() {
  local work=$1 suite
  suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  update_lists "$work" >"$2" 2>&1 || guest_fail "$(peer_failure "$2")"
  backports | sed "s/-backports main\$/-backports main contrib/; p; s/ $suite-backports / $suite /" >>"$work/apt/contrib"
  own_sources | cat - "$work/apt/contrib" >"$work/apt/sources.list"
  printf 'Package: src:zfs-linux\nPin: release n=%s-backports\nPin-Priority: 990\n' "$suite" >"$work/apt/preferences"
  private_apt "$work" update -o APT::Update::Error-Mode=any >>"$2" 2>&1 || guest_fail "$(peer_failure "$2")"
}

labvm_zfs() {
  local work=$1 dir=$2
  nice unshare --mount --propagation private "$labvm_support/labvm/modules" "$work" >"$dir/log" 2>&1 ||
    guest_fail "$(peer_failure "$dir/log")"
  mv "$work"/kernel.deb "$work"/zfs.ko "$work"/spl.ko "$work"/modules.versions "$dir/"
}

labvm_packages() {
  local work=$1 dir=$2 file
  mkdir -p "$work/apt/cache/archives/partial" "$work/root/usr"
  : >"$work/apt/status"
  private_apt "$work" -o Dir::State::status="$work/apt/status" -o Dir::Etc::Preferences="$work/apt/preferences" \
    install -y --download-only --no-install-recommends "${LABVM_PACKAGES[@]}" >"$dir/log" 2>&1 ||
    guest_fail "$(peer_failure "$dir/log")"
  for file in "$work"/apt/cache/archives/*.deb; do
    if ! [[ ${file##*/} =~ $LABVM_WITHOUT ]]; then
      unpack_package "$work" "$file"
    fi
  done
  unpack_package "$work" "$dir/kernel.deb"
  sort "$work/unpacked" "$dir/modules.versions" >"$work/out/versions"
}

labvm_root() {
  local work=$1 dir=$2 tree=$1/root modules
  guest_kernel "$work"
  guest_initramfs "$work"
  rm "$work/out/vmlinuz"
  printf '%s\n' "$LABVM_CMDLINE" >"$work/out/cmdline"
  rm -rf "$tree/boot" "$tree"/usr/share/{doc,man,locale,info,lintian,bug,icons,bash-completion,initramfs-tools,perl5,python3}
  mkdir -p "$tree"/{dev,proc,sys,run,tmp,root,mnt,lab,var/lib,var/log}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree/"
  ln -s bash "$tree/usr/bin/sh"
  ln -s gawk "$tree/usr/bin/awk"
  ln -s /lab/init "$tree/usr/sbin/init"
  ln -s ../lib/jvm/java-17-openjdk-amd64/bin/java "$tree/usr/bin/java"
  ln -s /run "$tree/var/run"
  cp "$labvm_support/labvm/init" "$labvm_support/labvm/commands" "$tree/lab/"
  cp -R "$labvm_support/labvm/root/." "$tree/"
  modules=$(echo "$tree"/usr/lib/modules/*)
  mkdir -p "$modules/updates"
  cp "$dir/zfs.ko" "$dir/spl.ko" "$modules/updates/"
  chroot "$tree" depmod "${modules##*/}"
  labvm_rules "$tree"
  labvm_classes "$tree" >>"$dir/log" 2>&1
  find "$tree" -exec touch -h -d "@$GUEST_DATE" {} +
  labvm_ext4 "$tree" "$work/out/root.ext4"
}

# Java starts in half the time with the classes of its library in an archive, which its package makes when it is installed.
labvm_classes() {
  unshare --mount --propagation private sh -c 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
    exec chroot "$1" java -Xshare:dump -XX:+UseG1GC' sh "$1"
  rm -rf "$1"/tmp/*
}

labvm_rules() {
  local rule rules=$1/usr/lib/udev/rules.d
  for rule in "$rules"/*.rules; do
    [[ " ${LABVM_RULES[*]} " = *" $(basename "$rule" .rules) "* ]] || rm "$rule"
  done
}

# What Stapes imports.
labvm_image() {
  qemu-img convert -f raw -O qcow2 "$1/out/root.ext4" "$1/out/disk.qcow2"
  guest_metadata "$1" "Stapes lab VM"
}

labvm_ext4() {
  local size
  size=$(($(du -sm --apparent-size "$1" | cut -f 1) * 5 / 4 + 32))
  rm -f "$2"
  truncate -s "${size}M" "$2"
  PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -O ^has_journal -L lab -m 0 -E root_owner=0:0,nodiscard -d "$1" "$2"
}

[ $# -le 1 ] || guest_fail "usage: $0 [<directory>]"
directory=${1:-${STAPES_LABVM:-$labvm_support/../target/labvm}}
mkdir -p "$directory"
build_once "$(readlink -f "$directory")" "$(labvm_key)" labvm_steps
