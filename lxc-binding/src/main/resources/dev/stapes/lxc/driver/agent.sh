# Starts programs for the host, whose requests are lines of shell that come through a FIFO.
cd /dev/.stapes || exit 1
B=/dev/.stapes/busybox
set -f
# Opened for reading and writing: it waits for nobody, and outlives the process at the other end.
exec 8<>./req

# r ID: start the program that ./ID.q describes.
r() {
  current=$1
  "$B" start-stop-daemon -S -b -q -p ./none -x "$B" -a sh -- ./exec "$1" 8>&- ||
    echo f 1<>"./$1.s"
  current=
}

# k SIGNAL PID: pid, or -pid for a process group.
k() { kill -s "$1" -- "$2"; }

# A shell ends when it cannot fork: say so to who waits, and be there again.
trap '[ -z "$current" ] || echo f 1<>"./$current.s"; exec "$B" sh ./agent' EXIT
echo R 1<>./up
. ./req
