package dev.stapes.spi;

import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.Display;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.IdMapping;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceState;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A running instance, in the hands of its driver. Methods may be called from any thread. */
public interface Machine extends AutoCloseable {
  /** Whose it is. */
  InstanceId id();

  /** Its first process (or its emulator) as the host sees it. */
  long pid();

  /** When it was started. */
  Instant startedAt();

  /**
   * Completes when it has ended and no process of it is left, on a thread of the host: return at
   * once from what hangs on it. The driver may remove what else it had on the host behind that;
   * whoever starts it again or closes the driver waits for this.
   */
  CompletionStage<Exit> exit();

  /** Asks it to shut down, as a power button does; {@link #exit} tells when it has. */
  void requestShutdown();

  /**
   * Ends it at once. When this returns no program of it runs any more; what is left of it on the
   * host is removed behind.
   */
  void kill();

  /** Suspends all its programs. */
  void freeze();

  /** Lets them go on. */
  void unfreeze();

  /** Whether they are suspended. */
  boolean isFrozen();

  /** Its file systems, where somebody in it is there now who can bring them to rest. */
  default Optional<FileSystems> fileSystems() {
    return Optional.empty();
  }

  /**
   * What keeps it from going on although nobody suspended it, such as {@code io-error} or {@code
   * guest-panicked}; empty while it is well. {@link #unfreeze} lets it try again.
   */
  default Optional<String> failure() {
    return Optional.empty();
  }

  /**
   * Tells of incidents from now on, each after the one before, on a thread of the driver: return at
   * once.
   */
  default void listen(Consumer<Incident> listener) {}

  /**
   * Starts a program inside, with everything that confines the instance confining it too.
   *
   * @throws dev.stapes.model.StapesException TIMED_OUT or UNAVAILABLE where the instance does not
   *     answer; a program that does not exist is exit code 127
   */
  Exec exec(ExecSpec spec);

  /**
   * The same for a program that is given nothing to read: its standard input may be at its end from
   * the start.
   */
  default Exec execWithoutInput(ExecSpec spec) {
    return exec(spec);
  }

  /**
   * Its files, as its own programs see them: resolution is {@link Tree.Resolution#IN_ROOT}, owners
   * are ids of its own user namespace.
   */
  Tree files();

  /**
   * The id map that it runs with, whatever its config says by now; empty: its ids are the host's.
   */
  Optional<IdMapping> idMapping();

  /** What it uses; the disk usage is left empty. */
  InstanceState state();

  /**
   * What it says of itself, where somebody in it can be asked.
   *
   * @throws dev.stapes.model.StapesException TIMED_OUT or UNAVAILABLE where nobody answers
   */
  default Optional<GuestInfo> guest() {
    return Optional.empty();
  }

  /** Its console. */
  Console console();

  /** Its screen, where it has one. */
  default Optional<Screen> screen() {
    return Optional.empty();
  }

  /**
   * The file to which the driver appends what it writes to its console, where this JVM finds it;
   * what was there before it was full is in the same with {@code .1} after its name, whether that
   * file got another name or its content was moved. Neither has to exist. Of an instance that
   * outlives the JVM it is that of the {@link InstanceDriverProvider.Scope}; of a throwaway it goes
   * with it.
   */
  Path consoleLog();

  /**
   * Makes changed config keys, disk limits and devices take effect. Where one of the devices cannot
   * be changed, those before it are as they were when this throws. A virtual machine sees then
   * which files and block devices that it has as disks have grown.
   *
   * @param spec the whole new spec, of which only live keys differ, limits of disks, and such
   *     devices as {@link InstanceDriver#changesLive} allows
   */
  void update(Spec spec);

  /**
   * Makes one that was adopted what a spec says, after an update to another one was cut short by
   * the end of a JVM: nobody knows how much of that had been done.
   *
   * @param attempted what that update was to make of it; nothing new of it is attached
   * @param wanted the whole spec, with attached disks, as far as they can be reached
   */
  default void settle(Spec attempted, Spec wanted) {
    update(attempted);
    update(wanted);
  }

  /**
   * Lets it see that its root disk, which is an {@link Disk#IMAGE}, has grown.
   *
   * @param size that the file has now
   */
  default void rootGrew(Size size) {}

  /**
   * Tells one that was adopted where its disks are: {@link InstanceDriver#adopt} was given a spec
   * without that.
   *
   * @param spec the same with attached disks, as far as they can be reached
   */
  default void attached(Spec spec) {}

  /** Lets go of it; it goes on. Idempotent. */
  @Override
  void close();

  /**
   * What a machine is made of.
   *
   * @param id names everything on the host
   * @param name host name inside
   * @param lifetime THROWAWAY: it dies with the host object and the JVM
   * @param config with environment, limits and what was allocated
   * @param devices without the root disk; copied
   * @param root its root disk, attached
   * @param disks attached sources of the disk devices by device name; copied
   */
  record Spec(
      InstanceId id,
      String name,
      Lifetime lifetime,
      Config config,
      SortedMap<String, Device> devices,
      Disk root,
      SortedMap<String, Disk> disks) {
    /** Copies. */
    public Spec {
      devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
      disks = Collections.unmodifiableSortedMap(new TreeMap<>(disks));
    }

    /** The same with other disks. */
    public Spec with(Disk newRoot, Map<String, Disk> newDisks) {
      return new Spec(id, name, lifetime, config, devices, newRoot, new TreeMap<>(newDisks));
    }
  }

  /**
   * An attached disk.
   *
   * @param path a directory of the host's mount namespace; of a disk device also a file of any kind
   * @param mapped the id map that its owners already appear in; empty: they appear as on disk, and
   *     the driver maps them itself
   * @param ioLimits to hold it to
   * @param bootPriority see {@link Device.Disk}
   * @param io see {@link Device.Disk}
   * @param form what a virtual machine has it as
   * @param device of the root disk of a virtual machine: the block device of the host's mount
   *     namespace that is its disk; empty: the file {@link #IMAGE} in the directory is
   */
  record Disk(
      Path path,
      Optional<IdMapping> mapped,
      Device.IoLimits ioLimits,
      Optional<Integer> bootPriority,
      Device.DiskIo io,
      Form form,
      Optional<Path> device) {
    /** What a virtual machine has it as. */
    public enum Form {
      /** Its own disk, or a directory. */
      USUAL,
      /** A disk that other machines have at the same time. */
      SHARED,
      /** A CD, which nobody writes to. */
      CDROM
    }

    /** The usual form. */
    public Disk(
        Path path,
        Optional<IdMapping> mapped,
        Device.IoLimits ioLimits,
        Optional<Integer> bootPriority,
        Device.DiskIo io) {
      this(path, mapped, ioLimits, bootPriority, io, Form.USUAL, Optional.empty());
    }

    /** Of whose priority and bus nothing was said. */
    public Disk(Path path, Optional<IdMapping> mapped, Device.IoLimits ioLimits) {
      this(path, mapped, ioLimits, Optional.empty(), Device.DiskIo.USUAL);
    }

    /** The same in another form. */
    public Disk as(Form other) {
      return new Disk(path, mapped, ioLimits, bootPriority, io, other, device);
    }

    /** The same on a block device, where there is one. */
    public Disk on(Optional<Path> other) {
      return new Disk(path, mapped, ioLimits, bootPriority, io, form, other);
    }

    /** What a virtual machine has as its root disk: a block device, or a file. */
    public Path image() {
      return device.orElseGet(() -> path.resolve(IMAGE));
    }

    /** The same with other limits. */
    public Disk limits(Device.IoLimits limits) {
      return new Disk(path, mapped, limits, bootPriority, io, form, device);
    }

    /**
     * The file in the directory of its root disk, or of a custom volume that is a disk, that a
     * virtual machine has as its disk: raw, and of the size that the machine sees.
     */
    public static final String IMAGE = "root.img";
  }

  /**
   * How a machine ended.
   *
   * @param reason in words, such as {@code killed by signal 9}
   * @param reboot whether it asked to be started again
   * @param code exit code of its first program as a shell reports it, where the driver knows it
   */
  record Exit(String reason, boolean reboot, OptionalInt code) {
    /** Without an exit code. */
    public Exit(String reason, boolean reboot) {
      this(reason, reboot, OptionalInt.empty());
    }
  }

  /**
   * Something that happened to it by itself.
   *
   * @param action name of the event, such as {@code instance-error}
   * @param details such as the reason; copied
   */
  record Incident(String action, SortedMap<String, String> details) {
    /** Copies. */
    public Incident {
      details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
    }
  }

  /** A program that runs inside. */
  interface Exec extends AutoCloseable {
    /** To its standard input; closing it is end-of-file. */
    OutputStream stdin();

    /** From its standard output, or its terminal. */
    InputStream stdout();

    /** From its standard error; empty with a terminal. */
    InputStream stderr();

    /**
     * Waits for its end.
     *
     * @return exit code as a shell reports it; empty where it still runs after the time
     */
    OptionalInt await(Duration limit) throws InterruptedException;

    /**
     * Closes its standard input, and reads both outputs until its end, on the calling thread. Where
     * a driver can do that, it saves the threads that the streams want.
     *
     * @param most bytes of each output; what writes more is not read to its end
     * @param limit how long to wait for the end
     * @return empty: not supported, and nothing has happened; the streams can be used
     * @throws InterruptedException where the thread was interrupted; the program goes on
     */
    default Optional<Collected> collect(int most, Duration limit) throws InterruptedException {
      return Optional.empty();
    }

    /** Sends a signal to it and what it started in its session, by number; it is sent then. */
    void signal(int number);

    /** Changes the size of its terminal, which it has then; does nothing without one. */
    void resize(ExecSpec.TerminalSize size);

    /** Kills it if it still runs, frees the streams. Idempotent. */
    @Override
    void close();
  }

  /**
   * What a program wrote.
   *
   * @param code its exit code; empty where it still runs
   * @param stdout to its standard output
   * @param stderr to its standard error
   * @param tooMuch whether it wrote more than was to be read
   */
  record Collected(OptionalInt code, byte[] stdout, byte[] stderr, boolean tooMuch) {}

  /** The file systems of a guest, as its agent sees them. */
  interface FileSystems {
    /**
     * Has all of them written down, and keeps programs from writing until {@link #thaw}.
     *
     * @throws dev.stapes.model.StapesException UNAVAILABLE where none is frozen; any other kind
     *     where some may be, or may come to be: whoever asked thaws them all the same
     */
    void freeze();

    /** Lets programs write. Does nothing where none is frozen. */
    void thaw();
  }

  /** A console. */
  interface Console extends AutoCloseable {
    /** From here on, what is written to it; ends with the machine. */
    InputStream output();

    /** What is typed on it. */
    OutputStream input();

    @Override
    void close();
  }

  /** A screen. */
  interface Screen {
    /** What it shows now, as PNG. */
    byte[] picture();

    /** Where somebody can look at it. */
    Display display();
  }
}
