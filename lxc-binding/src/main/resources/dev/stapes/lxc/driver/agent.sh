# Starts programs for the host, whose requests come through a FIFO, a line each:
#   r ID          start the program that ./ID.q describes
#   k SIGNAL PID  send a signal; -PID for a process group
cd /dev/.stapes || exit 1
B=/dev/.stapes/busybox
set -f
# Opened for reading and writing: it waits for nobody, and outlives the process at the other end.
exec 8<>./req

# The daemon that is started forks once more, unseen: when it cannot, the end of 9 tells it.
r() {
  current=$1
  "$B" start-stop-daemon -S -b -q -p ./none -x "$B" -a sh -- ./exec "$1" 8>&- 9<>"./$1.s" ||
    echo f 1<>"./$1.s"
  current=
}

# A shell ends when it cannot fork: say so to who waits, and be there again. The redirection of the
# command that failed may be in force: without 8 the requests that wait would be lost with the exec.
trap 'exec 8<>./req; [ -z "$current" ] || echo f 1<>"./$current.s"; exec "$B" sh ./agent' EXIT
echo R 1<>./up
# read takes a byte at a time: what follows a line stays in the FIFO for the next agent.
while read -r -u 8 _what _first _second; do
  case $_what in
  r) r "$_first" ;;
  k) kill -s "$_first" -- "$_second" ;;
  esac
done
