package dev.stapes.linux;

import static dev.stapes.linux.ffi.Constants.O_RDWR;
import static dev.stapes.linux.ffi.Constants.POSIX_SPAWN_SETSID;
import static dev.stapes.linux.ffi.Constants.POSIX_SPAWN_SETSIGDEF;
import static dev.stapes.linux.ffi.Constants.POSIX_SPAWN_SETSIGMASK;
import static dev.stapes.linux.ffi.Layout.posix_spawn_file_actions_t_ATMOST;
import static dev.stapes.linux.ffi.Layout.posix_spawnattr_t_ATMOST;
import static dev.stapes.linux.ffi.Layout.sigset_t_ATMOST;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.Syscalls;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jnr.ffi.Pointer;

/** One posix_spawn(3) with all that the request asks for. */
final class SpawnCall implements AutoCloseable {
  private static final byte[] NULL_DEVICE = CString.of("/dev/null");

  private final Syscalls sys;
  private final LibC libc;
  private final SpawnRequest request;
  private final Pointer actions = Syscalls.memory(posix_spawn_file_actions_t_ATMOST);
  private final Pointer attributes = Syscalls.memory(posix_spawnattr_t_ATMOST);
  private final Deque<Runnable> undo = new ArrayDeque<>();
  private final List<Pointer> strings = new ArrayList<>();

  SpawnCall(Syscalls sys, SpawnRequest request) {
    this.sys = sys;
    this.libc = sys.libc();
    this.request = request;
  }

  /** Starts the child and returns its number. */
  int run() {
    check(libc.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
    undo.push(() -> libc.posix_spawn_file_actions_destroy(actions));
    check(libc.posix_spawnattr_init(attributes), "posix_spawnattr_init");
    undo.push(() -> libc.posix_spawnattr_destroy(attributes));
    attributes();
    String directory = request.directory().map(Path::toString).orElse("/");
    check(
        libc.posix_spawn_file_actions_addchdir_np(actions, CString.of(directory)),
        "posix_spawn_file_actions_addchdir_np");
    closeFrom(descriptors());
    int[] pid = new int[1];
    int error =
        libc.posix_spawn(
            pid,
            CString.of(request.program()),
            actions,
            attributes,
            vector(request.argv()),
            vector(request.envp()));
    check(error, "posix_spawn");
    return pid[0];
  }

  /** A JVM ignores and blocks signals; a child must not inherit that. */
  private void attributes() {
    Pointer all = Syscalls.memory(sigset_t_ATMOST);
    Pointer none = Syscalls.memory(sigset_t_ATMOST);
    libc.sigfillset(all);
    libc.sigemptyset(none);
    int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
    check(libc.posix_spawnattr_setsigdefault(attributes, all), "posix_spawnattr_setsigdefault");
    check(libc.posix_spawnattr_setsigmask(attributes, none), "posix_spawnattr_setsigmask");
    check(libc.posix_spawnattr_setflags(attributes, (short) flags), "posix_spawnattr_setflags");
  }

  /** Lays out the child's descriptors, and returns the first number that it must not have. */
  private int descriptors() {
    Map<Integer, Fd> wanted = new TreeMap<>(request.descriptors());
    request.terminal().ifPresent(slave -> wanted.put(1, slave));
    int end = Math.max(3, wanted.keySet().stream().mapToInt(target -> target + 1).max().orElse(3));
    Map<Integer, Integer> sources = new TreeMap<>();
    wanted.forEach((target, fd) -> sources.put(target, outOfTheWay(fd, end)));
    for (int target = 0; target < end; target++) {
      Integer source = sources.get(target);
      if (source != null) {
        dup2(source, target);
      } else if (request.terminal().isEmpty() || target > 2) {
        open(target, NULL_DEVICE);
      }
    }
    if (request.terminal().isPresent()) {
      // A session leader that opens a terminal without O_NOCTTY gets it as its controlling one.
      open(0, CString.of("/proc/self/fd/1"));
      dup2(0, 1);
      dup2(0, 2);
    }
    return end;
  }

  /** A source whose number is among the targets would be overwritten before its turn. */
  private int outOfTheWay(Fd source, int end) {
    int number = source.number();
    if (number >= end) {
      return number;
    }
    int copy = libc.fcntl(number, Constants.F_DUPFD_CLOEXEC, end);
    sys.check(copy, "fcntl(F_DUPFD_CLOEXEC)", source);
    undo.push(() -> libc.close(copy));
    return copy;
  }

  private void dup2(int from, int to) {
    check(
        libc.posix_spawn_file_actions_adddup2(actions, from, to),
        "posix_spawn_file_actions_adddup2");
  }

  private void open(int target, byte[] path) {
    check(
        libc.posix_spawn_file_actions_addopen(actions, target, path, O_RDWR, 0),
        "posix_spawn_file_actions_addopen");
  }

  /** The JDK opens files without O_CLOEXEC: without this every one of them leaks. */
  private void closeFrom(int first) {
    try {
      check(
          libc.posix_spawn_file_actions_addclosefrom_np(actions, first),
          "posix_spawn_file_actions_addclosefrom_np");
    } catch (UnsatisfiedLinkError e) { // glibc before 2.34, musl
      closeEach(first);
    }
  }

  /**
   * Closes what is open now, one by one; a descriptor that another thread opens without O_CLOEXEC
   * between here and the spawn leaks. Closing a number that is not open is no error.
   */
  private void closeEach(int first) {
    String[] open = new File("/proc/self/fd").list();
    for (String name : open == null ? new String[0] : open) {
      int number = Integer.parseInt(name);
      if (number >= first) {
        check(
            libc.posix_spawn_file_actions_addclose(actions, number),
            "posix_spawn_file_actions_addclose");
      }
    }
  }

  /** A NULL-terminated array of C strings. */
  private Pointer vector(List<String> values) {
    Pointer vector = Syscalls.memory((values.size() + 1) * Long.BYTES);
    for (int i = 0; i < values.size(); i++) {
      byte[] bytes = CString.of(values.get(i));
      Pointer string = Syscalls.memory(bytes.length);
      string.put(0, bytes, 0, bytes.length);
      strings.add(string); // reachable until the call is over
      vector.putPointer((long) i * Long.BYTES, string);
    }
    strings.add(vector);
    return vector;
  }

  private void check(int error, String call) {
    sys.checkReturned(error, call, request.program());
  }

  @Override
  public void close() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
    strings.clear();
  }
}
