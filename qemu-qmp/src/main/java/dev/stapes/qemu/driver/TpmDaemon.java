package dev.stapes.qemu.driver;

import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Processes;
import dev.stapes.spi.ShellWords;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The TPM 2.0 of a machine, swtpm(8). It runs as a user of its own, so that a QEMU that a guest has
 * got hold of cannot read what the TPM keeps, and ends when QEMU closes the connection, whatever
 * becomes of this JVM. What it keeps is in the root volume, and is copied with it.
 */
final class TpmDaemon {
  /** In the directory of the machine. */
  static final String DIRECTORY = "tpm.d";

  /** As QEMU finds it. */
  static final String SOCKET = DIRECTORY + "/ctrl";

  /** In the root volume. */
  static final String STATE = "tpm";

  /** No device can be called so. */
  private static final String KEY = ":tpm";

  private static final String CONFIG_KEY = "config key ";
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final int UNIX_COLUMNS = 8;
  private static final int FLAGS = 3;
  private static final int INODE = 6;
  private static final int DIRECTORY_FD = 7;
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final long BETWEEN_NANOS = 500_000;

  private final DriverContext context;
  private final VmFiles files;
  private final String subject;
  private final Daemons daemons;

  TpmDaemon(DriverContext context, VmFiles files, String subject) {
    this.context = context;
    this.files = files;
    this.subject = subject;
    this.daemons = new Daemons(context, files, subject);
  }

  /**
   * Starts it. QEMU, which is to be started next, has to be its only client.
   *
   * @param qemu the user of QEMU
   * @throws StapesException UNSUPPORTED where swtpm is not installed
   */
  void start(Machine.Spec spec, long qemu) {
    Path program = program();
    long user = UserIds.ofTpm(qemu);
    Path directory = files.directory().resolve(DIRECTORY);
    try {
      files.createShares();
      Path state = context.host().mounts().local(spec.root().path()).resolve(STATE);
      prepareState(subject, state);
      own(state, user);
      Files.createDirectory(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
      chown(directory, user);
    } catch (IOException e) {
      throw IoFailure.of(subject, "its TPM", e);
    }
    boolean throwaway = spec.lifetime() == Lifetime.THROWAWAY;
    String script =
        script(
            directory,
            spec.root().path().resolve(STATE),
            command(context.setpriv(), program, user, throwaway));
    Processes.Start start =
        Processes.Start.of(List.of("/bin/sh", "-c", script), daemons.environment(KEY))
            .streams(
                Processes.Stdio.none(), Processes.Stdio.file(log()), Processes.Stdio.file(log()));
    boolean done = false;
    try (Processes.Child child =
        context.host().processes().start(throwaway ? start.dyingWithHost() : start)) {
      await(files.directory().resolve(SOCKET), child);
      done = true;
    } finally {
      if (!done) {
        end();
      }
    }
  }

  /**
   * Fails where QEMU would put the initramfs over the tables of the BIOS, which a TPM makes longer:
   * with a kernel that is an ELF file it does not look where there is room.
   *
   * @throws StapesException UNSUPPORTED with such a kernel
   */
  static void requireRoom(Firmware.Kernel direct) {
    if (direct.initrd().isPresent()) {
      try (InputStream kernel = Files.newInputStream(direct.kernel())) {
        if (Arrays.equals(ELF, kernel.readNBytes(ELF.length))) {
          throw new StapesException(
              Kind.UNSUPPORTED,
              CONFIG_KEY + QemuKeys.KERNEL.name(),
              "beside an initramfs and a TPM it has to be compressed, as vmlinuz is: \""
                  + direct.kernel()
                  + "\"");
        }
      } catch (IOException e) {
        throw IoFailure.of(CONFIG_KEY + QemuKeys.KERNEL.name(), "cannot be read", e);
      }
    }
  }

  private Path log() {
    return files.shares().resolve("tpm.log");
  }

  private Path program() {
    return context
        .host()
        .programs()
        .find("swtpm")
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED, subject, "a TPM needs swtpm: install the package swtpm"));
  }

  /**
   * Makes the directory of what it keeps, unless it is there.
   *
   * @throws StapesException INVALID where there is something else of that name
   */
  static void prepareState(String subject, Path state) throws IOException {
    if (!Files.exists(state, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(
          state,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    if (!Files.isDirectory(state, LinkOption.NOFOLLOW_LINKS)) {
      throw StapesException.invalid(subject, "what its TPM keeps is not a directory: " + state);
    }
  }

  /** Gives it to a user: that of a copy is another one. */
  private static void own(Path state, long user) throws IOException {
    chown(state, user);
    try (DirectoryStream<Path> all = Files.newDirectoryStream(state)) {
      for (Path file : all) {
        chown(file, user);
      }
    }
  }

  private static void chown(Path file, long user) throws IOException {
    Files.setAttribute(file, "unix:uid", (int) user, LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(file, "unix:gid", (int) user, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * It may enter neither directory by its path. So one is its working directory, and the other one
   * is open.
   */
  static String script(Path sockets, Path state, List<String> command) {
    return "exec "
        + DIRECTORY_FD
        + "<"
        + ShellWords.quote(sockets.toString())
        + " && cd "
        + ShellWords.quote(state.toString())
        + " && exec "
        + ShellWords.quote(command);
  }

  static List<String> command(Path setpriv, Path swtpm, long user, boolean dieWithHost) {
    String id = Long.toString(user);
    List<String> command = new ArrayList<>(List.of(setpriv.toString()));
    command.addAll(List.of("--reuid", id, "--regid", id, "--clear-groups"));
    command.addAll(List.of("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"));
    if (dieWithHost) {
      command.addAll(List.of("--pdeathsig", "KILL")); // a change of the user forgets the one before
    }
    command.addAll(List.of(swtpm.toString(), "socket", "--tpm2", "--terminate"));
    command.addAll(List.of("--tpmstate", "dir=.,mode=0600", "--ctrl"));
    // QEMU alone may enter the directory above, and has to write to the socket.
    command.add("type=unixio,path=/proc/self/fd/" + DIRECTORY_FD + "/ctrl,mode=0666");
    return command;
  }

  /** QEMU tries to connect once. */
  private void await(Path socket, Processes.Child child) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Path process = context.root().process(child.pid());
    while (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS) || !isListening(process)) {
      if (!child.isAlive() || System.nanoTime() > deadline) {
        throw new StapesException(
            Kind.INTERNAL, subject, "its TPM: swtpm does not start: " + complaint());
      }
      LockSupport.parkNanos(BETWEEN_NANOS);
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted");
      }
    }
  }

  /**
   * Whether a process has a Unix socket that takes connections, which it does some time after it
   * has a name: proc_net(5), the flag {@code SO_ACCEPTCON}. A look may miss it while others come
   * and go.
   *
   * @param process its directory in {@code /proc}
   */
  static boolean isListening(Path process) {
    try (Stream<String> lines =
        Files.lines(process.resolve("net/unix"), StandardCharsets.ISO_8859_1)) {
      Collection<String> opened = OpenFiles.of(process).values();
      return lines
          .map(line -> line.strip().split("\\s+", UNIX_COLUMNS))
          .anyMatch(
              columns ->
                  columns.length > INODE
                      && columns[FLAGS].equals("00010000")
                      && opened.contains("socket:[" + columns[INODE] + "]"));
    } catch (IOException | UncheckedIOException e) {
      return false; // it has ended
    }
  }

  private String complaint() {
    try (Stream<String> lines = Files.lines(log(), StandardCharsets.ISO_8859_1)) {
      return String.join("; ", lines.limit(10).toList());
    } catch (IOException | UncheckedIOException e) {
      return "its log cannot be read: " + e;
    }
  }

  /** Ends it, if there is one. Nothing of it has the root volume then. */
  void end() {
    if (Files.exists(log(), LinkOption.NOFOLLOW_LINKS)) {
      daemons.end(Optional.of(KEY));
    }
  }
}
