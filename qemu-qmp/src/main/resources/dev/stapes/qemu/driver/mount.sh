# mount|unmount <tag> <path> <options>: a directory of the host. What was just plugged in may take the guest a moment.
tag=$2 path=$3 options=$4
mounted() { grep -q "^$tag .* virtiofs " /proc/mounts; }
if [ "$1" = unmount ]; then
  mounted || exit 0
  exec umount "$path"
fi
modprobe virtiofs 2>/dev/null
mkdir -p "$path" || exit 1
left=10
until mounted; do
  said=$(mount -t virtiofs -o "$options" "$tag" "$path" 2>&1) && exit 0
  left=$((left - 1))
  if [ $left = 0 ]; then
    printf '%s\n' "$said" >&2
    exit 1
  fi
  sleep 1
done
