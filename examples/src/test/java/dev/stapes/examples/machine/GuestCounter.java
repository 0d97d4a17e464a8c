package dev.stapes.examples.machine;

import dev.stapes.Instance;

/** A program in a guest that counts in its memory. Never instantiated. */
final class GuestCounter {
  /** It leaves no port of its parent's open. */
  private static final String START =
      "mount -t tmpfs none /mnt && (setsid sh -c 'i=0; while :; do i=$((i+1)); "
          + "echo $i > /mnt/n.new; mv /mnt/n.new /mnt/n; usleep 20000; done' "
          + "<&- >/dev/null 2>&1 & echo $! > /mnt/pid)";

  private GuestCounter() {}

  static void start(Instance vm) {
    vm.exec("sh", "-c", START).orThrow();
  }

  /** Waits until it counts, and tells how far it is. */
  static long count(Instance vm) {
    String next = "a=$(cat /mnt/n); while [ \"$(cat /mnt/n)\" = \"$a\" ]; do :; done; cat /mnt/n";
    return Long.parseLong(vm.exec("sh", "-c", next).orThrow().stdout().strip());
  }
}
