package dev.stapes.linux;

import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A user namespace with nobody in it, for its maps: idmapped mounts take theirs from one. Cache it:
 * making one costs a process; having one costs a descriptor.
 *
 * <p>A JVM has more than one thread and so cannot enter a user namespace itself (unshare(2),
 * EINVAL). {@code unshare} of util-linux makes one and executes {@code cat}; that {@code cat} gives
 * back a byte says that the namespace is there.
 */
public final class UserNamespace implements AutoCloseable {
  private static final Path UNSHARE = Path.of("/usr/bin/unshare");
  private static final Path CAT = Path.of("/bin/cat");

  private final Fd fd;

  private UserNamespace(Fd fd) {
    this.fd = fd;
  }

  /**
   * Makes a user namespace.
   *
   * @param uids its user ids, at least one range
   * @param gids its group ids, at least one range
   * @throws LinuxException ENOENT without {@code /usr/bin/unshare}; EPERM if the kernel forbids the
   *     namespace or the maps; EINVAL if ranges overlap
   */
  public static UserNamespace create(
      Syscalls sys, Spawner spawner, List<IdRange> uids, List<IdRange> gids) {
    try (Pipe in = Pipe.open(sys);
        Pipe out = Pipe.open(sys)) {
      SpawnRequest request =
          SpawnRequest.of(UNSHARE, "--user", CAT.toString())
              .stdin(in.read())
              .stdout(out.write())
              .build();
      ChildProcess child = spawner.spawn(request);
      try {
        out.write().close();
        awaitEcho(in.write(), out.read());
        String proc = "/proc/" + child.pid();
        writeMap(sys, Path.of(proc + "/uid_map"), uids);
        writeMap(sys, Path.of(proc + "/gid_map"), gids);
        return new UserNamespace(Fd.open(sys, Path.of(proc + "/ns/user"), Set.of()));
      } finally {
        child.signal(Signal.KILL);
      }
    }
  }

  private static void awaitEcho(Fd to, Fd from) {
    ByteBuffer one = ByteBuffer.allocateDirect(1);
    to.write(one);
    if (from.read(one.clear()) < 0) {
      throw new LinuxException(
          "unshare(CLONE_NEWUSER)", "user namespace", dev.stapes.linux.ffi.Errno.EPERM);
    }
  }

  /** The kernel takes a map whole, in a single write. */
  private static void writeMap(Syscalls sys, Path file, List<IdRange> map) {
    String lines = map.stream().map(IdRange::line).collect(Collectors.joining());
    try (Fd fd = Fd.open(sys, file, Set.of(OpenFlag.WRITE))) {
      fd.write(ByteBuffer.wrap(lines.getBytes(StandardCharsets.US_ASCII)));
    }
  }

  /** The namespace; owned by this. */
  public Fd fd() {
    return fd;
  }

  /** Lets go of it; mounts that use its maps keep them. */
  @Override
  public void close() {
    fd.close();
  }
}
