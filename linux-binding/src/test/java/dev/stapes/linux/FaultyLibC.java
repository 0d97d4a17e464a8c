package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.Syscalls;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The machine's C library, of which the n-th call with an effect fails, and which knows the
 * descriptors that were opened and not closed.
 */
public final class FaultyLibC implements InvocationHandler {
  /** Without an effect, or without a failure that anybody could answer. */
  private static final Set<String> SPARED =
      Set.of(
          "close",
          "epoll_wait",
          "getpid",
          "geteuid",
          "kill",
          "poll",
          "posix_spawn_file_actions_destroy",
          "posix_spawnattr_destroy",
          "prctl",
          "setfsgid",
          "setfsuid",
          "sigemptyset",
          "sigfillset",
          "waitid");

  private static final Set<Long> SPARED_NUMBERS =
      Set.of((long) Constants.SYS_gettid, (long) Constants.SYS_pidfd_send_signal);

  private final LibC real = Syscalls.system().libc();
  private final Set<Integer> open = new TreeSet<>();

  /** A write to one of these cannot fail before it was written to 2^64 - 2 times; eventfd(2). */
  private final Set<Integer> eventfds = new TreeSet<>();

  private final int failing;
  private final int errno;
  private int calls;
  private String failed = "";

  /**
   * @param failing the number of the call that fails, from 1
   * @param errno what it fails with
   */
  public FaultyLibC(int failing, int errno) {
    this.failing = failing;
    this.errno = errno;
  }

  public Syscalls syscalls() {
    LibC proxy =
        (LibC)
            Proxy.newProxyInstance(LibC.class.getClassLoader(), new Class<?>[] {LibC.class}, this);
    return Syscalls.over(proxy);
  }

  /** The call that failed, empty if there were not so many. */
  public synchronized String failed() {
    return failed;
  }

  /** The descriptors that are still open. */
  public synchronized Set<Integer> open() {
    return new TreeSet<>(open);
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.getDeclaringClass() == Object.class) {
      return method.invoke(this, arguments);
    }
    if (fails(method, arguments)) {
      Syscalls.errno(errno);
      boolean returnsError = method.getName().startsWith("posix_spawn");
      int result = returnsError ? errno : -1;
      return method.getReturnType() == long.class ? (Object) (long) result : (Object) result;
    }
    try {
      if (method.getName().equals("close")) {
        closed((int) arguments[0]);
      }
      Object result = method.invoke(real, arguments);
      int errnoOfCall = Syscalls.system().errno();
      opened(method, arguments, ((Number) result).longValue());
      Syscalls.errno(errnoOfCall);
      return result;
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  private synchronized boolean fails(Method method, Object[] arguments) {
    boolean wakesUp = method.getName().equals("write") && eventfds.contains((int) arguments[0]);
    boolean spared = wakesUp || SPARED.contains(method.getName());
    if (spared || (isSyscall(method) && SPARED_NUMBERS.contains((long) arguments[0]))) {
      return false;
    }
    calls++;
    if (calls == failing) {
      failed = isSyscall(method) ? "syscall " + arguments[0] : method.getName();
      return true;
    }
    return false;
  }

  private static boolean isSyscall(Method method) {
    return method.getName().equals("syscall");
  }

  private synchronized void closed(int fd) {
    eventfds.remove(fd);
    if (!open.remove(fd)) {
      throw new AssertionError("closed although it is not open: " + fd);
    }
  }

  private synchronized void opened(Method method, Object[] arguments, long result) {
    if (result < 0) {
      return;
    }
    switch (method.getName()) {
      case "open", "openat", "epoll_create1", "socket", "accept4" -> open.add((int) result);
      case "eventfd" -> {
        open.add((int) result);
        eventfds.add((int) result);
      }
      case "fcntl" -> {
        if ((int) arguments[1] == Constants.F_DUPFD_CLOEXEC) {
          open.add((int) result);
        }
      }
      case "ioctl" -> {
        if ((long) arguments[1] == Constants.TIOCGPTPEER) {
          open.add((int) result);
        }
      }
      case "pipe2", "socketpair" -> {
        int[] ends = (int[]) arguments[method.getName().equals("pipe2") ? 0 : 3];
        open.add(ends[0]);
        open.add(ends[1]);
      }
      case "syscall" -> {
        long number = (long) arguments[0];
        if (number == Constants.SYS_openat2
            || number == Constants.SYS_pidfd_open
            || number == Constants.SYS_open_tree) {
          open.add((int) result);
        }
      }
      default -> {}
    }
  }
}
