package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The emulator of this machine.
 *
 * @param path of the program
 * @param version of it
 */
record QemuProgram(Path path, Version version) {
  private static final Pattern VERSION =
      Pattern.compile("QEMU emulator version (\\d{1,4})\\.(\\d{1,4})");

  /** The oldest that is known to do. */
  private static final Version OLDEST = new Version(7, 2);

  /**
   * A version.
   *
   * @param major such as 7
   * @param minor such as 2
   */
  record Version(int major, int minor) implements Comparable<Version> {
    @Override
    public int compareTo(Version other) {
      return major != other.major
          ? Integer.compare(major, other.major)
          : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
      return major + "." + minor;
    }
  }

  /** What the program that emulates a machine like this one is called. */
  static String name(Host host) {
    return "qemu-system-" + host.facts().architecture();
  }

  /** Whether it is new enough. */
  boolean isUsable() {
    return version.compareTo(OLDEST) >= 0;
  }

  /**
   * One of this machine.
   *
   * @param program its name, or an absolute path
   */
  static Optional<QemuProgram> find(Host host, String program) {
    Optional<Path> path =
        program.startsWith("/")
            ? Optional.of(Path.of(program)).filter(Files::isExecutable)
            : host.programs().find(program);
    return path.map(found -> new QemuProgram(found, version(host, found)));
  }

  private static Version version(Host host, Path path) {
    String said = host.programs().run(Command.of(path.toString(), "-version")).stdout();
    return parse(said)
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNAVAILABLE,
                    "qemu driver",
                    path + " does not tell its version: " + said.lines().findFirst().orElse("")));
  }

  /** Reads what {@code -version} prints. */
  static Optional<Version> parse(String said) {
    Matcher matcher = VERSION.matcher(said);
    return matcher.find()
        ? Optional.of(
            new Version(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
        : Optional.empty();
  }
}
