#!/usr/bin/env bash
# guest.sh <directory>: builds a small virtual machine for tests from Debian's packages, which are unpacked below the directory
# and not installed. A second call finds it built and returns at once; whoever wants newer packages deletes the directory.
#
# What is in the directory then:
#   vmlinuz, vmlinux   the kernel of linux-image-cloud-amd64, compressed and not (which starts sooner under emulation)
#   initramfs          loads drivers of disks, then goes to root= (a device or LABEL=...; LABEL=guest without)
#   root.img           the root file system alone: ext4, busybox, the agent of QEMU, a shell on ttyS0
#   disk.qcow2         a disk with an EFI system partition and that root file system: starts with OVMF, by itself
#   boot.efi           kernel, initramfs and command line as one EFI program, as is
#   boot-signed.efi    the same signed with the snakeoil key of OVMF; this one is in disk.qcow2
#   metadata.tar       what makes a split image of disk.qcow2
#   cmdline            the kernel's command line that was fastest; root= may be appended
#   versions           the packages, one "package version" a line
# It is run, not sourced: bash forgets set -e in a function whose failure somebody looks at. labvm.sh alone sources it, to share.

guest_support=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=build-support/peers.sh
. "$guest_support/peers.sh"

GUEST_PACKAGES=(busybox-static util-linux bsdutils qemu-guest-agent lz4 systemd-boot-efi mtools fdisk sbsigntool openssl ovmf)

# What the initramfs loads: the ways to a disk, the second only when the first led to none.
GUEST_BOOT_MODULES=(virtio_pci virtio_blk)
GUEST_SCSI_MODULES=(virtio_mmio virtio_scsi sd_mod)

# What is loaded while the agent starts; etc/rc has loaded the driver of its port.
GUEST_LATE_MODULES=(virtio_net virtio_balloon virtio-rng virtio_mem pvpanic-pci)

# What can be loaded.
GUEST_MODULES=("${GUEST_BOOT_MODULES[@]}" "${GUEST_SCSI_MODULES[@]}" "${GUEST_LATE_MODULES[@]}" virtio_console button evdev
  virtio_input loop overlay fuse virtiofs vfat nls_ascii nls_cp437 nls_iso8859-1 nls_utf8 isofs sr_mod squashfs btrfs vmw_vsock_virtio_transport)

GUEST_CMDLINE="console=ttyS0 quiet mitigations=off panic=-1 no_timer_check cryptomgr.notests lsm=integrity lpj=10000000"

# The date of every file, and the sizes of the disk's parts in MiB: 1 MiB stays free at either end.
GUEST_DATE=1700000000
GUEST_ESP=64
GUEST_ROOT=256

# build_once <directory> <key> <command>...: runs the command unless the directory was built for that key, one process at a time.
build_once() {
  local dir=$1 key=$2
  shift 2
  [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ] || return 0
  trap 'guest_fail "line $LINENO of ${BASH_SOURCE[0]##*/} failed; logs are in $dir"' ERR
  export LC_ALL=C SOURCE_DATE_EPOCH=$GUEST_DATE E2FSPROGS_FAKE_TIME=$GUEST_DATE
  umask 022
  exec 9>"$dir/lock"
  flock 9
  [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ] || return 0
  rm -rf --one-file-system "$dir/work"
  mkdir -p "$dir/work/out"
  "$@" "$dir"
  mv "$dir"/work/out/* "$dir/"
  rm -rf --one-file-system "$dir/work"
  printf '%s\n' "$key" >"$dir/key"
}

# What a guest is built by; the packages are those of the day.
guest_key() {
  cat "$guest_support/guest.sh" "$guest_support/peers.sh" <(cd "$guest_support/guest" && find . -type f | sort | xargs sha256sum) |
    sha256sum | cut -d ' ' -f 1
}

guest_steps() {
  local dir=$1/work start=$SECONDS
  [ "$(dpkg --print-architecture)" = amd64 ] || guest_fail "the guest can be built on amd64 alone"
  guest_packages "$dir" >"$dir/log" 2>&1 || guest_fail "$(peer_failure "$dir/log")"
  cp "$dir/unpacked" "$dir/out/versions"
  guest_kernel "$dir"
  guest_initramfs "$dir"
  guest_root "$dir"
  guest_boot_program "$dir"
  guest_disk "$dir"
  guest_metadata "$dir" "Stapes test guest"
  printf 'The guest was built in %s s: %s\n' "$((SECONDS - start))" "$1"
}

guest_fail() {
  printf 'guest.sh: %s\n' "$*" >&2
  exit 1
}

# The packages with all that they depend on, whatever this machine has installed; of the kernel the one package alone.
guest_packages() {
  local dir=$1 kernel file
  update_lists "$dir" || return 1
  mkdir -p "$dir/apt/cache/archives/partial"
  : >"$dir/apt/status"
  rm -f "$dir"/apt/cache/archives/*.deb
  private_apt "$dir" -o Dir::State::status="$dir/apt/status" install -y --download-only --no-install-recommends \
    "${GUEST_PACKAGES[@]}" || return 1
  kernel=$(private_apt_cache "$dir" depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-\)/\1/p' | head -n 1)
  (cd "$dir/apt/cache/archives" && private_apt "$dir" download "$kernel") || return 1
  for file in "$dir"/apt/cache/archives/*.deb; do
    unpack_package "$dir" "$file" || return 1
  done
}

private_apt_cache() {
  local dir=$1
  shift
  apt-cache -o "Dir::Etc::SourceList=$dir/apt/sources.list" -o "Dir::State::Lists=$dir/apt/lists" \
    -o "Dir::Cache=$dir/apt/cache" "$@"
}

# guest_tool <directory> <program> <argument>...: runs a program of the packages with the libraries of the packages.
guest_tool() {
  local root=$1/root/usr program=$2
  shift 2
  "$root"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path "$root/lib/x86_64-linux-gnu" \
    "$(PATH=$root/bin:$root/sbin command -v "$program")" "$@"
}

guest_kernel() {
  local dir=$1 offset length
  cp "$dir"/root/boot/vmlinuz-* "$dir/out/vmlinuz"
  # Where the kernel lies in the file: Documentation/arch/x86/boot.rst, setup_sects, payload_offset and payload_length.
  offset=$((($(number_at "$dir/out/vmlinuz" 0x1f1 1) + 1) * 512 + $(number_at "$dir/out/vmlinuz" 0x248 4)))
  length=$(number_at "$dir/out/vmlinuz" 0x24c 4)
  # The last four bytes are the size.
  head -c $((offset + length - 4)) "$dir/out/vmlinuz" | tail -c $((length - 4)) | guest_tool "$dir" lz4 -d -q >"$dir/out/vmlinux"
  [ "$(head -c 4 "$dir/out/vmlinux" | tail -c 3)" = ELF ] || guest_fail "the kernel is not compressed as expected"
}

number_at() { od -A n -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# The files of modules in the order in which they can be loaded, each once.
module_files() {
  local modules=$1 module
  shift
  for module in "$@"; do
    module_with_needs "$modules" "$module"
  done | awk '!seen[$0]++'
}

module_with_needs() {
  local file needed
  file=$(find "$1" -name "${2//[-_]/[-_]}.ko")
  [ -n "$file" ] || guest_fail "the kernel has no module $2"
  for needed in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr ',' ' '); do
    module_with_needs "$1" "$needed"
  done
  printf '%s\n' "$file"
}

guest_initramfs() {
  local dir=$1 tree=$1/initramfs modules=$1/root/usr/lib/modules file
  mkdir -p "$tree"/{bin,dev,proc,root,lib}
  cp "$guest_support/guest/initramfs-init" "$tree/init"
  cp "$dir/root/usr/bin/busybox" "$tree/bin/"
  for file in sh mount cat insmod findfs usleep switch_root poweroff; do
    ln -s busybox "$tree/bin/$file"
  done
  module_files "$modules" "${GUEST_BOOT_MODULES[@]}" >"$dir/first"
  module_files "$modules" "${GUEST_BOOT_MODULES[@]}" "${GUEST_SCSI_MODULES[@]}" | grep -vxFf "$dir/first" >"$dir/scsi"
  for file in first scsi; do
    xargs cp -t "$tree/lib" <"$dir/$file"
    sed 's,.*/,,; s,[.]ko$,,' "$dir/$file" >"$tree/modules.$file"
  done
  find "$tree" -exec touch -h -d "@$GUEST_DATE" {} +
  (cd "$tree" && find . | sort | bin/busybox cpio -o -H newc -R 0:0) >"$dir/out/initramfs" 2>"$dir/log"
}

guest_root() {
  local dir=$1 tree=$1/system
  mkdir -p "$tree"/{dev,proc,sys,run,tmp,root,mnt,var/log,usr/bin,usr/sbin,usr/lib}
  ln -s usr/bin usr/sbin usr/lib "$tree/"
  ln -s usr/lib "$tree/lib64"
  ln -s /run "$tree/var/run"
  guest_programs "$dir" "$tree"
  guest_modules "$dir" "$tree"
  cp -R "$guest_support/guest/root/." "$tree/"
  {
    printf 'NAME="Stapes test guest"\nPRETTY_NAME="Stapes test guest"\nID=stapes-guest\nID_LIKE=debian\n'
    sed -nE 's/^busybox-static (.*)$/VERSION_ID="\1"/p' "$dir/out/versions"
  } >"$tree/etc/os-release"
  guest_ext4 "$tree" "$dir/out/root.img"
}

guest_programs() {
  local dir=$1 tree=$2 applet library program
  cp "$dir/root/usr/bin/busybox" "$tree/usr/bin/"
  for applet in $("$tree/usr/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$tree/usr/bin/$applet"
  done
  ln -s ../bin/busybox "$tree/usr/sbin/init"
  for applet in poweroff reboot halt acpid hwclock; do
    ln -s ../bin/busybox "$tree/usr/sbin/$applet"
  done
  mkdir -p "$tree/usr/lib/x86_64-linux-gnu"
  # Those of busybox know neither numbers of users nor exit codes.
  for program in usr/sbin/qemu-ga usr/bin/setpriv usr/bin/script; do
    cp --remove-destination "$dir/root/$program" "$tree/$program"
    for library in $(libraries "$dir/root/usr/lib/x86_64-linux-gnu" "$tree/$program" | sort -u); do
      cp -L "$dir/root/usr/lib/x86_64-linux-gnu/$library" "$tree/usr/lib/x86_64-linux-gnu/"
    done
  done
  ln -s x86_64-linux-gnu/ld-linux-x86-64.so.2 "$tree/usr/lib/"
}

# What a program needs of the libraries in a directory, and what those need.
libraries() {
  local library
  for library in $(objdump -p "$2" | awk '$1 == "NEEDED" { print $2 }'); do
    printf '%s\n' "$library"
    case $library in
      ld-linux*) ;;
      *) libraries "$1" "$1/$library" ;;
    esac
  done
}

guest_modules() {
  local dir=$1 tree=$2 release
  release=$(basename "$dir"/root/usr/lib/modules/*)
  mkdir -p "$tree/usr/lib/modules/$release"
  module_files "$dir/root/usr/lib/modules" "${GUEST_MODULES[@]}" |
    xargs cp -t "$tree/usr/lib/modules/$release"
  cp "$dir/root/usr/lib/modules/$release/modules.builtin" "$tree/usr/lib/modules/$release/"
  # Its depmod takes the place of a root directory from the path it is given.
  (cd "$tree/usr/lib/modules" && "$tree/usr/bin/busybox" depmod -b "$tree/usr" "$release")
  mkdir -p "$tree/etc"
  printf '%s\n' "${GUEST_LATE_MODULES[@]}" >"$tree/etc/modules"
}

guest_ext4() {
  find "$1" -exec touch -h -d "@$GUEST_DATE" {} +
  rm -f "$2"
  truncate -s "${GUEST_ROOT}M" "$2"
  # Owners are root's, whoever runs this.
  PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -L guest -U 5ba9e500-0000-4000-8000-000000000001 -m 0 \
    -E root_owner=0:0,hash_seed=5ba9e500-0000-4000-8000-000000000002,lazy_itable_init=1,nodiscard -d "$1" "$2"
}

# The EFI program that starts the kernel: the stub of systemd-boot with three sections more.
guest_boot_program() {
  local dir=$1 keys=$1/root/usr/share/ovmf stub
  stub=$dir/root/usr/lib/systemd/boot/efi/linuxx64.efi.stub
  printf '%s\n' "$GUEST_CMDLINE" >"$dir/out/cmdline"
  objcopy --add-section .osrel="$dir/system/etc/os-release" --change-section-vma .osrel=0x20000 \
    --add-section .cmdline="$dir/out/cmdline" --change-section-vma .cmdline=0x30000 \
    --add-section .linux="$dir/out/vmlinuz" --change-section-vma .linux=0x2000000 \
    --add-section .initrd="$dir/out/initramfs" --change-section-vma .initrd=0x4000000 "$stub" "$dir/out/boot.efi"
  # The key is for tests, and its passphrase known to all.
  guest_tool "$dir" openssl pkcs8 -in "$keys/PkKek-1-snakeoil.key" -passin pass:snakeoil -out "$dir/key"
  guest_tool "$dir" sbsign --key "$dir/key" --cert "$keys/PkKek-1-snakeoil.pem" --output "$dir/out/boot-signed.efi" \
    "$dir/out/boot.efi" >>"$dir/log" 2>&1
}

guest_disk() {
  local dir=$1 disk=$1/disk esp=$1/esp
  truncate -s "${GUEST_ESP}M" "$esp"
  "$dir/root/usr/bin/busybox" mkdosfs -n ESP "$esp"
  guest_tool "$dir" mmd -i "$esp" ::/EFI ::/EFI/BOOT
  guest_tool "$dir" mcopy -i "$esp" "$dir/out/boot-signed.efi" ::/EFI/BOOT/BOOTX64.EFI
  truncate -s $((GUEST_ESP + GUEST_ROOT + 2))M "$disk"
  printf 'label: gpt\nstart=1MiB, size=%sMiB, type=U, name=ESP\nsize=%sMiB, type=L, name=root\n' $GUEST_ESP $GUEST_ROOT |
    guest_tool "$dir" sfdisk -q --no-reread --no-tell-kernel "$disk"
  dd if="$esp" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
  dd if="$dir/out/root.img" of="$disk" bs=1M seek=$((GUEST_ESP + 1)) conv=notrunc,sparse status=none
  qemu-img convert -f raw -O qcow2 "$disk" "$dir/out/disk.qcow2"
}

# guest_metadata <directory> <what it is>
guest_metadata() {
  local dir=$1
  cat >"$dir/metadata.yaml" <<END
architecture: x86_64
creation_date: $GUEST_DATE
properties:
  architecture: amd64
  description: $2
  os: $2
  release: $(sed -n 's/^busybox-static //p' "$dir/out/versions")
END
  tar -c --owner=0 --group=0 --mtime="@$GUEST_DATE" -C "$dir" -f "$dir/out/metadata.tar" metadata.yaml
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -Eeuo pipefail
  [ $# = 1 ] || guest_fail "usage: $0 <directory>"
  mkdir -p "$1"
  build_once "$(readlink -f "$1")" "$(guest_key)" guest_steps
fi
