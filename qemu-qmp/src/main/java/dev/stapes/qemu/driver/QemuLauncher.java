package dev.stapes.qemu.driver;

import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpConnectException;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

/** Starts QEMU, up to where its monitor answers and its processors stand still. */
final class QemuLauncher {
  private static final int SIGKILL = 9;
  private static final int DISK = 3;
  private static final int NVRAM = 4;
  private static final int CONSOLE = 5;
  private static final int SEED = 6;

  /** The descriptor that QEMU has of {@link Vsock}. */
  static final int VSOCK = 7;

  private static final int LONGEST_COMPLAINT = 2000;
  private static final long BETWEEN_NANOS = 500_000;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final DriverContext context;

  QemuLauncher(DriverContext context) {
    this.context = context;
  }

  /**
   * A machine whose processors stand still.
   *
   * @param files of its own
   * @param process of the emulator
   * @param monitor of it
   */
  record Started(VmFiles files, Processes.Child process, Monitor monitor) {}

  /**
   * What a machine is to be.
   *
   * @param plan what its spec means
   * @param room for what it gets while it runs
   * @param kvm whether it is not emulated
   * @param incoming whether it waits for a state that was saved
   */
  record Wanted(Machine.Spec spec, VmPlan plan, VmRoom room, boolean kvm, boolean incoming) {
    boolean hasVsock() {
      return room.vsock() && plan.vsockId().isPresent();
    }
  }

  /**
   * Starts it.
   *
   * @param user its uid and gid
   */
  Started launch(Wanted wanted, long user) {
    Machine.Spec spec = wanted.spec();
    VmPlan plan = wanted.plan();
    String subject = "instance " + spec.name();
    VmFiles files = VmFiles.of(context.scope(), spec.id());
    requireFiles(subject, spec, plan);
    Microvm.requireClock(subject, plan, wanted.kvm());
    VmHostDevices.require(spec, context.root().pci());
    if (wanted.hasVsock()) {
      context.vsock().require(subject);
    }
    boolean done = false;
    try {
      files.create();
      Files.setAttribute(files.directory(), "unix:uid", (int) user);
      Files.setAttribute(files.directory(), "unix:gid", (int) user);
      if (plan.tpm()) {
        new TpmDaemon(context, files, subject).start(spec, user);
      }
      Processes.Child process = spawn(wanted, files, user);
      try {
        Started started =
            new Started(files, process, new Monitor(subject, connect(wanted, files, process)));
        done = true;
        return started;
      } finally {
        if (!done) {
          process.signal(SIGKILL);
          process.exit().toCompletableFuture().join();
          process.close();
        }
      }
    } catch (IOException e) {
      throw IoFailure.of(subject, "start failed", e);
    } finally {
      if (!done) {
        new Daemons(context, files, subject).end(Optional.empty());
        remove(files);
      }
    }
  }

  /** A shell would make a disk that is not there, and QEMU is not clear about the others. */
  private void requireFiles(String subject, Machine.Spec spec, VmPlan plan) {
    Path disk = context.host().mounts().local(VmPlan.disk(spec));
    RootDisk.require(spec, subject, disk);
    DiskCache.require(context.sys(), subject, disk, plan.rootIo());
    if (plan.firmware() instanceof Firmware.Kernel kernel) {
      requireFile(QemuKeys.KERNEL.name(), kernel.kernel());
      kernel.initrd().ifPresent(initrd -> requireFile(QemuKeys.INITRD.name(), initrd));
      if (plan.tpm()) {
        TpmDaemon.requireRoom(kernel);
      }
    }
  }

  private static void requireFile(String key, Path file) {
    if (!Files.isRegularFile(file)) {
      throw StapesException.invalid("config key " + key, "no such file: \"" + file + "\"");
    }
    try {
      Path real = file.toRealPath();
      requireOpen(key, real, PosixFilePermission.OTHERS_READ);
      for (Path above = real.getParent(); above != null; above = above.getParent()) {
        requireOpen(key, above, PosixFilePermission.OTHERS_EXECUTE);
      }
    } catch (IOException e) {
      throw IoFailure.of("config key " + key, "\"" + file + "\" cannot be looked at", e);
    }
  }

  /** QEMU is nobody to whom anything belongs. */
  private static void requireOpen(String key, Path path, PosixFilePermission right)
      throws IOException {
    if (!Files.getPosixFilePermissions(path).contains(right)) {
      throw new StapesException(
          Kind.DENIED,
          "config key " + key,
          "QEMU, which runs as a user of its own, may not enter or read \"" + path + "\"");
    }
  }

  private void remove(VmFiles files) {
    try {
      files.remove(context.root().vfio());
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "instance " + files.id(), "its files cannot be removed: " + e, e);
    }
  }

  private Processes.Child spawn(Wanted wanted, VmFiles files, long user) throws IOException {
    Machine.Spec spec = wanted.spec();
    boolean throwaway = spec.lifetime() == Lifetime.THROWAWAY;
    List<QemuProcess.Opened> opened = new ArrayList<>();
    QemuProcess.Mode mode = DiskCache.modeOfRoot(wanted.plan().rootIo());
    opened.add(new QemuProcess.Opened(DISK, VmPlan.disk(spec), mode));
    if (wanted.plan().firmware() instanceof Firmware.Uefi firmware) {
      Ovmf ovmf = Ovmf.of(firmware.secure());
      ovmf.prepareVariables(context.host().mounts().local(VmPlan.nvram(spec)));
      opened.add(new QemuProcess.Opened(NVRAM, VmPlan.nvram(spec), QemuProcess.Mode.WRITE));
    }
    opened.add(
        new QemuProcess.Opened(
            CONSOLE, consoleLog(spec, files, throwaway), QemuProcess.Mode.APPEND));
    Optional<CloudInitSeed> seed = CloudInitSeed.of(spec);
    if (seed.isPresent()) {
      Path file = seed.get().write(files.directory());
      opened.add(new QemuProcess.Opened(SEED, file, QemuProcess.Mode.READ));
    }
    if (wanted.hasVsock()) {
      Path vsock = context.vsock().device();
      opened.add(new QemuProcess.Opened(VSOCK, vsock, QemuProcess.Mode.DEVICE));
    }
    List<String> arguments = arguments(wanted);
    QemuProcess process =
        new QemuProcess(
            files.directory(),
            user,
            wanted.kvm() ? context.kvm().group() : OptionalLong.empty(),
            HostDevices.locked(spec, wanted.plan().memory().bytes() + wanted.room().growth()),
            opened);
    return context
        .host()
        .processes()
        .start(
            process.start(
                context.setpriv(), context.qemu().path(), arguments, files.log(), throwaway));
  }

  /** What QEMU would be started with. */
  List<String> arguments(Wanted wanted) {
    QemuArguments.UefiFiles uefi = QemuArguments.UefiFiles.NONE;
    if (wanted.plan().firmware() instanceof Firmware.Uefi firmware) {
      Path code = Ovmf.of(firmware.secure()).code();
      uefi = new QemuArguments.UefiFiles(code, QemuProcess.Opened.inQemu(NVRAM));
    }
    return QemuArguments.of(
        wanted.plan(),
        new QemuArguments.Start(
            VmFiles.of(context.scope(), wanted.spec().id()).name(),
            QemuProcess.Opened.inQemu(DISK),
            uefi,
            wanted.kvm(),
            wanted.room(),
            wanted.spec().root().ioLimits(),
            QemuProcess.Opened.inQemu(CONSOLE),
            CloudInitSeed.of(wanted.spec()).map(seed -> QemuProcess.Opened.inQemu(SEED)),
            wanted.incoming()));
  }

  private Path consoleLog(Machine.Spec spec, VmFiles files, boolean throwaway) throws IOException {
    if (throwaway) {
      return files.consoleLog();
    }
    Path log = context.scope().consoleLog(spec.id());
    Files.createDirectories(Objects.requireNonNull(log.getParent()));
    return log;
  }

  /** Its socket is there a moment after the process is. */
  private QmpClient connect(Wanted wanted, VmFiles files, Processes.Child process) {
    String subject = "instance " + wanted.spec().name();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return QmpClient.connect(
            context.loop(),
            files.monitor(),
            Monitor.DIALECT,
            QmpOptions.defaults().connectTimeout(PATIENCE));
      } catch (QmpConnectException e) {
        if (!process.isAlive()) {
          throw failed(wanted, subject, complaint(files), e);
        }
        if (System.nanoTime() > deadline) {
          throw new StapesException(Kind.TIMED_OUT, subject, "QEMU has no monitor", e);
        }
        LockSupport.parkNanos(BETWEEN_NANOS);
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
      } catch (QmpException e) {
        throw failed(wanted, subject, complaint(files), e);
      }
    }
  }

  /** What somebody can do something about is told apart. */
  private static StapesException failed(
      Wanted wanted, String subject, String complaint, Exception cause) {
    return VsockIds.taken(subject, wanted.plan(), complaint, cause)
        .or(() -> wanted.plan().graphics().flatMap(its -> its.missing(subject, complaint, cause)))
        .orElseGet(
            () ->
                new StapesException(
                    Kind.INTERNAL, subject, "QEMU does not start: " + complaint, cause));
  }

  /**
   * The last that QEMU complained of. Its directory is QEMU's, which may have put anything there.
   */
  static String complaint(VmFiles files) {
    if (!Files.isRegularFile(files.log(), LinkOption.NOFOLLOW_LINKS)) {
      return "it has no log";
    }
    try (FileChannel channel =
        FileChannel.open(files.log(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      channel.position(Math.max(0, channel.size() - LONGEST_COMPLAINT));
      byte[] end = Channels.newInputStream(channel).readNBytes(LONGEST_COMPLAINT);
      String log = new String(end, StandardCharsets.ISO_8859_1).strip();
      return log.isEmpty() ? "it says nothing" : log.replace('\n', ';');
    } catch (IOException e) {
      return "its log cannot be read: " + e;
    }
  }
}
