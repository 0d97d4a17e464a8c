package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Processes;
import dev.stapes.spi.ShellWords;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The daemons that give directories of the host to a machine, virtiofsd(1), one for each. Each is
 * connected before QEMU has it, and ends when QEMU closes the connection: with the machine or with
 * the device, whatever becomes of this JVM.
 */
final class ShareDaemons {
  /** Where the daemon finds the directory, in its own mount namespace. */
  private static final String SHARED = "/run/share";

  private static final List<Path> PLACES =
      List.of(
          Path.of("/usr/libexec/virtiofsd"),
          Path.of("/usr/lib/qemu/virtiofsd"),
          Path.of("/usr/lib/virtiofsd"));

  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final long BETWEEN_NANOS = 500_000;

  private final DriverContext context;
  private final VmFiles files;
  private final String subject;
  private final Daemons daemons;

  ShareDaemons(DriverContext context, VmFiles files, String subject) {
    this.context = context;
    this.files = files;
    this.subject = subject;
    this.daemons = new Daemons(context, files, subject);
  }

  /**
   * Starts one.
   *
   * @param source a directory of the host's mount namespace
   * @param throwaway whether it ends with this JVM, too
   * @return the connection that QEMU is to have
   */
  UnixSocket start(DiskId id, Path source, Device.Disk disk, boolean throwaway) {
    Path directory = files.shares();
    Path socket = directory.resolve(socketOf(id));
    try {
      files.createShares();
      makeDirectory(directory.resolve(id.key() + ".dir"));
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw IoFailure.of(subject, "share of device " + id.key(), e);
    }
    Path log = directory.resolve(id.key() + ".log");
    Processes.Start start =
        Processes.Start.of(
                List.of(
                    program("unshare", "util-linux").toString(),
                    "--mount",
                    "/bin/sh",
                    "-c",
                    script(id, source, disk)),
                daemons.environment(id.key()))
            .streams(Processes.Stdio.none(), Processes.Stdio.file(log), Processes.Stdio.file(log));
    Processes.Child child =
        context.host().processes().start(throwaway ? start.dyingWithHost() : start);
    boolean done = false;
    try {
      UnixSocket connected = connect(id, socket, child, log);
      Files.deleteIfExists(socket);
      done = true;
      return connected;
    } catch (IOException e) {
      throw IoFailure.of(subject, "share of device " + id.key(), e);
    } finally {
      child.close();
      if (!done) {
        end(id);
      }
    }
  }

  private static void makeDirectory(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  /** A name that no other machine has: the daemon of QEMU 7.2 locks a file that is called so. */
  private String socketOf(DiskId id) {
    return files.name() + "." + id.key();
  }

  /**
   * What it sees is mounted in a namespace of its own, where it also finds a {@code /run} of its
   * own for that file. The name of the socket is relative, for it must be short; that of the
   * directory is not, and needs no quoting.
   */
  private String script(DiskId id, Path source, Device.Disk disk) {
    String target = ShellWords.quote(id.key() + ".dir");
    StringBuilder script =
        new StringBuilder("cd ").append(ShellWords.quote(files.shares().toString()));
    script.append(disk.recursive() ? " && mount --rbind " : " && mount --bind ");
    script.append(ShellWords.quote(source.toString())).append(' ').append(target);
    if (disk.readOnly()) {
      script.append(" && mount -o remount,bind,ro ").append(target);
    }
    script.append(" && mount -t tmpfs -o mode=755 tmpfs /run && mkdir " + SHARED);
    script.append(" && mount -c --rbind ").append(target).append(" " + SHARED + " && exec ");
    script.append(
        ShellWords.quote(
            List.of(
                daemon().toString(),
                "-f",
                "--socket-path=" + socketOf(id),
                "-o",
                "source=" + SHARED)));
    return script.toString();
  }

  private Path daemon() {
    return PLACES.stream()
        .filter(Files::isExecutable)
        .findFirst()
        .or(() -> context.host().programs().find("virtiofsd"))
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    subject,
                    "a directory of the host needs virtiofsd: install the package virtiofsd, or"
                        + " qemu-system-common of QEMU 7.2"));
  }

  private Path program(String name, String packageName) {
    return context
        .host()
        .programs()
        .find(name)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    subject,
                    name + " not found: install the package " + packageName));
  }

  private UnixSocket connect(DiskId id, Path socket, Processes.Child child, Path log) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return UnixSocket.connect(context.sys(), socket);
      } catch (LinuxException e) {
        if (!child.isAlive() || System.nanoTime() > deadline) {
          throw new StapesException(
              Kind.INTERNAL,
              subject,
              "share of device " + id.key() + ": virtiofsd does not start: " + complaint(log),
              e);
        }
        LockSupport.parkNanos(BETWEEN_NANOS);
        if (Thread.currentThread().isInterrupted()) {
          throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
        }
      }
    }
  }

  private static String complaint(Path log) {
    try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
      return String.join("; ", lines.limit(10).toList());
    } catch (IOException | java.io.UncheckedIOException e) {
      return "its log cannot be read: " + e;
    }
  }

  /**
   * Ends what is left of it.
   *
   * @param id whose it is
   */
  void end(DiskId id) {
    daemons.end(Optional.of(id.key()));
  }
}
