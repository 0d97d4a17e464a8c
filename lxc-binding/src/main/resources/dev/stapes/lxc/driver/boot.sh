# The first program of a container: starts the agent, then makes room for the image's own init.
# "boot auto NAME...": the names are those of the variables that it was given, of which the agent is to have none;
# "boot early NAME...": the same, and says that the container is there before the agent is;
# "boot wait": start the agent, and wait for the root file system of an instance; by then "environment" has its variables;
# "boot agent": only start the agent, for one that has died;
# "boot init": only be the first program.
cd /dev/.stapes || exit 1
B=/dev/.stapes/busybox
umask 022
mode=$1
shift
# It forks twice and gives the agent a session of its own. A job in the background (&) would
# ignore SIGINT and SIGQUIT, and so would every program that is executed later.
start="start-stop-daemon -S -b -q -p ./none -x $B -a sh -- ./agent lead 0"
case $mode in
auto | early | wait)
  [ "$mode" != early ] || echo B 1<>./up
  (
    unset container "$@"
    exec "$B" $start
  )
  ;;
agent)
  "$B" env -i "$B" $start
  exit 0
  ;;
esac
if [ "$mode" = wait ]; then
  # Both ends first, not to wait for who holds the other; then only one, to learn that he has died.
  exec 4<>./go 3<./go 4>&-
  IFS= read -r line <&3 || exit 0
  exec 3<&-
  . ./environment
  echo B 1<>./up
fi
[ ! -e ./program ] || exec "$B" sh ./program
[ ! -x /sbin/init ] || exec /sbin/init
# For the variables to be those that it was executed with.
[ "$mode" != wait ] || exec "$B" sh ./boot init

# No init in the image: reap what is left to process 1, and end everything when asked to.
end() {
  trap '' TERM PWR INT 37
  kill -TERM -1
  n=0
  while [ "$n" -lt 100 ] && kill -0 -1 2>/dev/null; do
    "$B" usleep 50000
    n=$((n + 1))
  done
  exit 0
}
# If no process can be started any more the shell would end, and the container with it. It tries again, but not at once.
trap 'read -r -t 1 nothing <>./pause; exec "$B" sh ./boot init' EXIT
trap 'trap - EXIT; end' TERM PWR INT 37
while :; do
  "$B" sleep 2147483647 &
  wait
  read -r -t 1 nothing <>./pause
done
