package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.MemoryStates;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/** The memory of virtual machines in files: the memory as it is, and the devices as QEMU does. */
final class QemuStates implements MemoryStates {
  private static final String REFUSAL = "its memory cannot be saved";
  private static final String MEMORY = "memory";
  private static final String DEVICES = "devices";
  private static final String SAVED = "saved.json";
  private static final int LARGEST = 1 << 20;

  private final DriverContext context;
  private final Function<InstanceId, Optional<QemuMachine>> machines;
  private final Starting starting;

  private final BiFunction<Machine.Spec, SavedMachine, List<String>> arguments;

  /** Starts a machine that waits for its state, and ends it where the state cannot be had. */
  interface Starting {
    Machine start(Machine.Spec spec, SavedMachine saved, Consumer<QemuMachine> fill);
  }

  /**
   * Of a driver.
   *
   * @param machines that run
   * @param arguments of a machine that goes on from its memory
   * @param starting starts it
   */
  QemuStates(
      DriverContext context,
      Function<InstanceId, Optional<QemuMachine>> machines,
      BiFunction<Machine.Spec, SavedMachine, List<String>> arguments,
      Starting starting) {
    this.context = context;
    this.machines = machines;
    this.arguments = arguments;
    this.starting = starting;
  }

  @Override
  public void save(InstanceId id, Path directory) {
    QemuMachine machine =
        machines
            .apply(id)
            .orElseThrow(
                () -> new StapesException(Kind.CONFLICT, "instance " + id, "is not running"));
    Machine.Spec spec = machine.spec();
    String subject = "instance " + spec.name();
    translated(
        subject,
        REFUSAL,
        () -> {
          List<String> started = CommandLine.of(context.root().process(machine.pid()));
          Map<String, String> slots = machine.requireAsStarted(REFUSAL, started);
          PluggedDevice.all(subject, REFUSAL, slots, devices(spec));
          Path local = context.host().mounts().local(directory);
          boolean apart = !hasHugePages(spec);
          Path devices = local.resolve(DEVICES);
          try (Fd file = create(devices)) {
            machine.ways().migration().save(file, !apart);
            file.sync();
          }
          long memory = apart ? saveMemory(subject, machine.pid(), local.resolve(MEMORY)) : 0;
          SavedMachine saved =
              new SavedMachine(
                  id.value(),
                  context.qemu().version().toString(),
                  started,
                  SavedMachine.memoryLimit(spec),
                  PluggedDevice.all(
                      subject, REFUSAL, slots, devices(spec)), // nobody writes any more
                  context.rootSize(spec),
                  memory,
                  hash(devices));
          try (Fd file = create(local.resolve(SAVED))) {
            byte[] text = saved.write().getBytes(StandardCharsets.UTF_8);
            file.write(Syscalls.buffer(text.length).put(text).flip());
            file.sync();
          }
          try (Fd all = Fd.open(context.sys(), local, Set.of(OpenFlag.READ))) {
            all.sync();
          }
        });
  }

  private long saveMemory(String subject, long pid, Path path) throws IOException {
    MemoryImage image = new MemoryImage(context.sys(), subject);
    try (Fd memory = image.open(context.root().process(pid));
        Fd file = create(path)) {
      long size = image.copy(memory, file);
      file.sync();
      return size;
    }
  }

  private Fd create(Path path) {
    return Fd.open(
        context.sys(),
        path,
        Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE));
  }

  /** Files of huge pages cannot be written to: such memory goes with the devices. */
  private boolean hasHugePages(Machine.Spec spec) {
    return context.plan(spec).hugePages();
  }

  @Override
  public Machine load(Machine.Spec spec, Path directory) {
    String subject = "instance " + spec.name();
    Path local = context.host().mounts().local(directory);
    SavedMachine saved = readFitting(spec, local);
    return starting.start(
        spec,
        saved,
        machine ->
            translated(
                subject,
                "its saved memory cannot be loaded",
                () -> {
                  machine.plug(saved.slots());
                  fill(subject, machine, local, saved);
                  machine.loaded(saved.instance());
                }));
  }

  @Override
  public void requireFit(Machine.Spec spec, Path directory) {
    readFitting(spec, context.host().mounts().local(directory));
  }

  private SavedMachine readFitting(Machine.Spec spec, Path local) {
    String subject = "instance " + spec.name();
    SavedMachine saved = read(subject, local);
    translated(
        subject,
        "its saved memory cannot be compared",
        () ->
            saved.requireFit(
                subject,
                context.qemu().version().toString(),
                CommandLine.kept(arguments.apply(spec, saved)),
                devices(spec),
                context.rootSize(spec)));
    return saved;
  }

  private SortedMap<String, String> devices(Machine.Spec spec) throws IOException {
    return PluggedDevice.of(spec, context.host().mounts()::local);
  }

  @Override
  public void awaken(InstanceId id, Path directory) {
    Path local = context.host().mounts().local(directory);
    Optional<QemuMachine> machine = machines.apply(id);
    if (machine.isPresent() && Files.exists(local.resolve(SAVED))) {
      machine.get().awaken(read("instance " + id, local).instance());
    }
  }

  private void fill(String subject, QemuMachine machine, Path local, SavedMachine saved)
      throws IOException {
    boolean apart = saved.memorySize() > 0;
    if (apart) {
      MemoryImage image = new MemoryImage(context.sys(), subject);
      try (Fd file = Fd.open(context.sys(), local.resolve(MEMORY), Set.of(OpenFlag.READ));
          Fd memory = image.open(context.root().process(machine.pid()))) {
        image.copy(file, memory);
      }
    }
    try (Fd file =
        Fd.open(context.sys(), local.resolve(DEVICES), Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
      machine.ways().migration().load(file, !apart);
    }
  }

  /** Reads what was saved, and checks that the rest is there. */
  private static SavedMachine read(String subject, Path local) {
    try {
      Path file = local.resolve(SAVED);
      if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
        throw StapesException.invalid(subject, "its saved memory is missing or damaged");
      }
      SavedMachine saved = SavedMachine.read(subject, Files.readString(file));
      Path memory = local.resolve(MEMORY);
      if (saved.memorySize() > 0
          && (!Files.isRegularFile(memory) || Files.size(memory) != saved.memorySize())) {
        throw StapesException.invalid(
            subject, "its saved memory is damaged: it had " + saved.memorySize() + " bytes");
      }
      if (!Files.isRegularFile(local.resolve(DEVICES))
          || !hash(local.resolve(DEVICES)).equals(saved.devicesHash())) {
        throw StapesException.invalid(
            subject, "its saved memory is damaged: the hash of its devices is another one");
      }
      return saved;
    } catch (IOException e) {
      throw IoFailure.of(subject, "its saved memory cannot be read", e);
    }
  }

  private static String hash(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      DigestInputStream digest = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
      digest.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void translated(String subject, String what, Step step) {
    try {
      step.run();
    } catch (IOException e) {
      throw IoFailure.of(subject, what, e);
    } catch (LinuxException e) {
      boolean full = e.errno() == Errno.ENOSPC || e.errno() == Errno.EDQUOT;
      throw new StapesException(
          full ? Kind.EXHAUSTED : Kind.INTERNAL, subject, what + ": " + e.getMessage(), e);
    }
  }
}
