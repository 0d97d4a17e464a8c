package dev.stapes.qemu.driver;

import dev.stapes.spi.Processes;
import dev.stapes.spi.ShellWords;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How the process of a virtual machine is started: as a user of its own who may do nothing, in the
 * machine's directory, with its disk already open. So it needs no right to any path, and nothing
 * that it gets under its control is of use.
 *
 * @param directory its working directory
 * @param user its uid and gid
 * @param kvmGroup owner of {@code /dev/kvm}; empty: it is not used
 * @param locked KiB of memory that it may lock; empty: as many as this JVM
 * @param files that are open when it starts; copied
 */
record QemuProcess(
    Path directory, long user, OptionalLong kvmGroup, OptionalLong locked, List<Opened> files) {
  private static final String SHELL = "/bin/sh";
  private static final String NOTHING = "/dev/null";

  /** Copies. */
  QemuProcess {
    files = List.copyOf(files);
    if (files.stream().filter(Opened::isDirect).count() > 1) {
      throw new IllegalArgumentException("more than one file as standard input: " + files);
    }
  }

  /** One that locks no memory. */
  QemuProcess(Path directory, long user, OptionalLong kvmGroup, List<Opened> files) {
    this(directory, user, kvmGroup, OptionalLong.empty(), files);
  }

  /** How a file is opened. */
  enum Mode {
    /** To be read. */
    READ("<"),
    /** To be read and written. */
    WRITE("<>"),
    /** To be written at its end; made where it does not exist. */
    APPEND(">>"),
    /** To be read and written, past the memory of the host; one file at most. */
    DIRECT("<&0 <"),
    /** To be read and written, by the number of its descriptor alone. */
    DEVICE("<>");

    private final String redirection;

    Mode(String redirection) {
      this.redirection = redirection;
    }
  }

  /**
   * A file that is open when QEMU starts.
   *
   * @param number of its descriptor, 3 to 9: a POSIX shell redirects no others
   * @param path in the host's mount namespace
   */
  record Opened(int number, Path path, Mode mode) {
    /** Checks the number. */
    Opened {
      if (number < 3 || number > 9) {
        throw new IllegalArgumentException("not a descriptor of a shell: " + number);
      }
    }

    private boolean isDirect() {
      return mode == Mode.DIRECT;
    }

    /** No shell opens a file so: it is the shell's input first, then nothing is. */
    private String redirected() {
      return number + mode.redirection + ShellWords.quote(isDirect() ? NOTHING : path.toString());
    }

    /** The name by which QEMU's options know it. */
    static Path inQemu(int number) {
      return Path.of("/dev/fdset/" + number);
    }
  }

  /**
   * What starts it.
   *
   * @param setpriv the program of setpriv(1)
   * @param qemu the emulator
   * @param arguments of the emulator
   * @param log takes what it complains of
   * @param dieWithHost see {@link Processes.Start}
   */
  Processes.Start start(
      Path setpriv, Path qemu, List<String> arguments, Path log, boolean dieWithHost) {
    Processes.Start start =
        Processes.Start.of(
                command(setpriv, qemu, arguments, dieWithHost),
                Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C"))
            .streams(input(), Processes.Stdio.file(log), Processes.Stdio.file(log));
    return dieWithHost ? start.dyingWithHost() : start;
  }

  private Processes.Stdio input() {
    return files.stream()
        .filter(Opened::isDirect)
        .findFirst()
        .<Processes.Stdio>map(file -> new Processes.Stdio.DirectFile(file.path()))
        .orElse(Processes.Stdio.none());
  }

  /** The command of it alone, see {@link #start}. */
  List<String> command(Path setpriv, Path qemu, List<String> arguments, boolean dieWithHost) {
    List<String> command = new ArrayList<>();
    command.add(setpriv.toString());
    String id = Long.toString(user);
    command.addAll(List.of("--reuid", id, "--regid", id));
    if (kvmGroup.isPresent()) {
      command.addAll(List.of("--groups", Long.toString(kvmGroup.getAsLong())));
    } else {
      command.add("--clear-groups");
    }
    command.addAll(List.of("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"));
    if (dieWithHost) {
      command.addAll(List.of("--pdeathsig", "KILL")); // a change of the user forgets the one before
    }
    command.add(qemu.toString());
    for (Opened file : files) {
      if (file.mode() != Mode.DEVICE) {
        command.addAll(List.of("-add-fd", "fd=" + file.number() + ",set=" + file.number()));
      }
    }
    command.addAll(arguments);
    StringBuilder script = new StringBuilder("cd ").append(ShellWords.quote(directory.toString()));
    locked.ifPresent(kibibytes -> script.append(" && ulimit -l ").append(kibibytes));
    files.forEach(file -> script.append(" && exec ").append(file.redirected()));
    script.append(" && exec ").append(ShellWords.quote(command));
    return List.of(SHELL, "-c", script.toString());
  }
}
