package dev.stapes.lxc.ffi;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The calls on one {@code struct lxc_container} that do not fork: each is plain memory, a file or a
 * round trip over the container's command socket (4 to 400 microseconds). The structure is not made
 * for two threads, so a lock is held for each call.
 *
 * <p>What is missing here forks the JVM or polls: {@code start}, {@code attach}, {@code get_ips},
 * {@code get_interfaces}, {@code create}, {@code clone}, {@code reboot}, {@code checkpoint}, {@code
 * wait}, {@code shutdown}. See {@link ForkingCalls}.
 */
public final class ContainerCalls implements AutoCloseable {
  /** All that this class ever calls; a test pins the list. */
  static final Set<Member> ALLOWED =
      Collections.unmodifiableSet(
          EnumSet.of(
              Member.IS_DEFINED,
              Member.STATE,
              Member.IS_RUNNING,
              Member.FREEZE,
              Member.UNFREEZE,
              Member.INIT_PID,
              Member.INIT_PIDFD,
              Member.DEVPTS_FD,
              Member.LOAD_CONFIG,
              Member.SAVE_CONFIG,
              Member.CLEAR_CONFIG,
              Member.SET_CONFIG_ITEM,
              Member.CLEAR_CONFIG_ITEM,
              Member.GET_CONFIG_ITEM,
              Member.GET_RUNNING_CONFIG_ITEM,
              Member.GET_CGROUP_ITEM,
              Member.SET_CGROUP_ITEM,
              Member.CONSOLE_GETFD,
              Member.MAY_CONTROL,
              Member.STOP));

  private static final int MAX_ITEM = 1 << 20;

  private final Liblxc library;
  private final String name;
  private final Pointer container;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;

  ContainerCalls(Liblxc library, String name, Pointer container) {
    this.library = library;
    this.name = name;
    this.container = container;
  }

  /** Its name, as given. */
  public String name() {
    return name;
  }

  /** Whether its configuration file exists. */
  public boolean isDefined() {
    return isTrue(Member.IS_DEFINED);
  }

  /** Whether it runs. */
  public boolean isRunning() {
    return isTrue(Member.IS_RUNNING);
  }

  /** Whether this process may control it. */
  public boolean mayControl() {
    return isTrue(Member.MAY_CONTROL);
  }

  /** What it does, such as {@code STOPPED}, {@code RUNNING} or {@code FROZEN}. */
  public String state() {
    Pointer text = (Pointer) call(Member.STATE, Pointer.class);
    return text == null ? "STOPPED" : text.getString(0, "UTF-8");
  }

  /** The pid of its first process in this pid namespace; empty: not running. */
  public OptionalInt initPid() {
    return positive((int) number(Member.INIT_PID));
  }

  /** A new pidfd of its first process, which the caller closes; empty: not running. */
  public OptionalInt initPidfd() {
    return descriptor((int) number(Member.INIT_PIDFD));
  }

  /**
   * A new descriptor of its devpts file system, which the caller closes; empty: not running, or it
   * has none.
   */
  public OptionalInt devptsFd() {
    return descriptor((int) number(Member.DEVPTS_FD));
  }

  /** Suspends its processes. */
  public void freeze() {
    require(Member.FREEZE);
  }

  /** Lets them go on. */
  public void unfreeze() {
    require(Member.UNFREEZE);
  }

  /** Kills it, through its monitor; returns when the monitor has said yes. */
  public void stop() {
    require(Member.STOP);
  }

  /** Reads a configuration file on top of what is set. */
  public void loadConfig(String file) {
    require(Member.LOAD_CONFIG, file);
  }

  /** Writes the configuration to a file. */
  public void saveConfig(String file) {
    require(Member.SAVE_CONFIG, file);
  }

  /** Forgets all that is set, in memory. */
  public void clearConfig() {
    call(Member.CLEAR_CONFIG, Void.class);
  }

  /**
   * Sets or appends an item, in memory.
   *
   * @throws LxcException where liblxc does not know the key or refuses the value
   */
  public void setConfigItem(String key, String value) {
    require(Member.SET_CONFIG_ITEM, key, value);
  }

  /** Unsets an item, in memory. */
  public void clearConfigItem(String key) {
    require(Member.CLEAR_CONFIG_ITEM, key);
  }

  /**
   * An item of the configuration in memory; lists have one line per entry.
   *
   * @return empty where liblxc does not know the key
   */
  public Optional<String> configItem(String key) {
    return sized(Member.GET_CONFIG_ITEM, key);
  }

  /**
   * An item of the configuration that the running container was started with.
   *
   * @return empty where it does not run, or does not have the item
   */
  public Optional<String> runningConfigItem(String key) {
    return Optional.ofNullable(
        library.take((Pointer) call(Member.GET_RUNNING_CONFIG_ITEM, Pointer.class, key)));
  }

  /**
   * A file of its cgroup, such as {@code memory.usage_in_bytes}, without the last newline.
   *
   * @return empty where it does not run or has no such file
   */
  public Optional<String> cgroupItem(String file) {
    return sized(Member.GET_CGROUP_ITEM, file);
  }

  /** Writes a file of its cgroup. */
  public void setCgroupItem(String file, String value) {
    require(Member.SET_CGROUP_ITEM, file, value);
  }

  /**
   * Takes one of its terminals.
   *
   * @param terminal 1 and up; 0 is the console; empty: any that is free
   * @return empty where none is free. The caller closes the descriptor, which gives it back
   */
  public Optional<Terminal> terminal(OptionalInt terminal) {
    IntByReference number = new IntByReference(terminal.orElse(-1));
    IntByReference master = new IntByReference(-1);
    lock.lock();
    try {
      int keeper = (int) number(Member.CONSOLE_GETFD, number, master);
      return keeper < 0
          ? Optional.empty()
          : Optional.of(new Terminal(number.getValue(), keeper, master.getValue()));
    } finally {
      lock.unlock();
    }
  }

  /**
   * A terminal of a container.
   *
   * @param number 1 and up; 0 is the console
   * @param keeper descriptor that holds the terminal while it is open
   * @param master descriptor of the terminal's master side
   */
  public record Terminal(int number, int keeper, int master) {}

  /** Lets go of it; a running container goes on. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        library.put(container);
      }
    } finally {
      lock.unlock();
    }
  }

  Pointer pointer() {
    return container;
  }

  private boolean isTrue(Member member, Object... arguments) {
    // bool sets only the low byte of the return register
    return (number(member, arguments) & 0xff) != 0;
  }

  private void require(Member member, Object... arguments) {
    if (!isTrue(member, arguments)) {
      String subject = arguments.length == 0 ? name : name + ", " + arguments[0];
      throw new LxcException(member.cName(), subject, "refused by liblxc");
    }
  }

  private long number(Member member, Object... arguments) {
    Object result = call(member, Integer.class, arguments);
    return result == null ? 0 : (Integer) result;
  }

  /** The two calls that fill a buffer: length first, then content. */
  private Optional<String> sized(Member member, String key) {
    lock.lock();
    try {
      int length = (int) number(member, key, Pointer.NULL, 0);
      if (length < 0) {
        return Optional.empty();
      }
      if (length == 0) {
        return Optional.of("");
      }
      if (length > MAX_ITEM) {
        throw new LxcException(member.cName(), name + ", " + key, "too long: " + length);
      }
      try (Memory buffer = new Memory(length + 1L)) {
        buffer.clear();
        int written = (int) number(member, key, buffer, length + 1);
        if (written < 0) {
          return Optional.empty();
        }
        // what is written may have shrunk or grown since it was measured: the buffer bounds it
        byte[] bytes = buffer.getByteArray(0, Math.min(written, length));
        return Optional.of(new String(bytes, StandardCharsets.UTF_8).stripTrailing());
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Object call(Member member, Class<?> result, @Nullable Object... arguments) {
    if (!ALLOWED.contains(member)) {
      throw new AssertionError(member + " is not allowed here");
    }
    Object[] all = new Object[arguments.length + 1];
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    all[0] = container;
    lock.lock();
    try {
      if (closed) {
        throw new LxcException(member.cName(), name, "the handle is closed");
      }
      return member.of(container).invoke(result, all);
    } finally {
      lock.unlock();
    }
  }

  private static OptionalInt positive(int value) {
    return value > 0 ? OptionalInt.of(value) : OptionalInt.empty();
  }

  private static OptionalInt descriptor(int value) {
    return value >= 0 ? OptionalInt.of(value) : OptionalInt.empty();
  }
}
