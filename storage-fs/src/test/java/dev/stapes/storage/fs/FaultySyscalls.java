package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.Faults;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The machine's system calls, of which a test can make any fail with EIO. A call that fails does
 * not happen, as with the kernel's own.
 */
final class FaultySyscalls {
  /** Calls that change something, but for ioctl(2) and syscall(2), which are looked at closer. */
  private static final Set<String> CHANGES =
      Set.of(
          "mkdirat",
          "unlinkat",
          "symlinkat",
          "linkat",
          "ftruncate",
          "fchmod",
          "chmod",
          "fchownat",
          "utimensat",
          "fsetxattr",
          "lsetxattr",
          "setxattr",
          "write",
          "pwrite",
          "copy_file_range");

  private static final Set<String> HARMLESS =
      Set.of("close", "getpid", "geteuid", "poll", "lseek", "flock");

  private FaultySyscalls() {}

  /** What a call is about to do. */
  public interface Calls {
    /** Is counted by the faults, and fails where they want it. */
    void about(String description);
  }

  /** Those that change something can fail. */
  static Syscalls changes(Faults faults) {
    return of(faults, FaultySyscalls::isChange);
  }

  /** All can fail, but closing and the like. */
  static Syscalls all(Faults faults) {
    return of(faults, call -> !HARMLESS.contains(call.name()));
  }

  private record Call(String name, @Nullable Object[] arguments) {}

  private static boolean isChange(Call call) {
    if (call.name().equals("ioctl")) {
      // _IOR requests only read.
      long request = (Long) Objects.requireNonNull(call.arguments()[1]);
      return (request >> 30 & 3) != 2;
    }
    if (call.name().equals("syscall")) {
      long number = (Long) Objects.requireNonNull(call.arguments()[0]);
      return number == Constants.SYS_renameat2 || number == Constants.SYS_mknodat;
    }
    return CHANGES.contains(call.name());
  }

  private static Syscalls of(Faults faults, Predicate<Call> counted) {
    LibC real = Syscalls.system().libc();
    Calls calls = faults.wrap(Calls.class, description -> {});
    LibC faulty =
        (LibC)
            Proxy.newProxyInstance(
                LibC.class.getClassLoader(),
                new Class<?>[] {LibC.class},
                (proxy, method, arguments) -> {
                  Call call =
                      new Call(method.getName(), arguments == null ? new Object[0] : arguments);
                  if (counted.test(call) && fails(calls, call)) {
                    Syscalls.errno(Errno.EIO);
                    return method.getReturnType() == long.class ? (Object) Long.valueOf(-1) : -1;
                  }
                  return invoke(real, method, arguments);
                });
    return Syscalls.over(faulty);
  }

  private static boolean fails(Calls calls, Call call) {
    try {
      calls.about(call.name());
      return false;
    } catch (StapesException e) {
      return true;
    }
  }

  private static Object invoke(LibC real, Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
