package dev.stapes.testkit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The class path of this JVM, shared with a {@link LabVm} for its Java. Nothing in the VM can write
 * to it; what this machine changes later is not seen there. Once in each VM.
 */
public final class LabClassPath implements AutoCloseable {
  private static final String SHARED = "/mnt/classes";

  private final Path copy;
  private final List<String> entries;

  private LabClassPath(Path copy, List<String> entries) {
    this.copy = copy;
    this.entries = entries;
  }

  /**
   * Shares it.
   *
   * @throws IOException where it cannot be copied
   */
  public static LabClassPath share(LabVm lab) throws IOException {
    Path copy = Files.createTempDirectory("stapes-lab-classes");
    LabClassPath shared = new LabClassPath(copy, new ArrayList<>());
    try {
      shared.fill();
      lab.share("classes", copy, SHARED);
      return shared;
    } catch (IOException | RuntimeException e) {
      try {
        shared.close();
      } catch (IOException next) {
        e.addSuppressed(next);
      }
      throw e;
    }
  }

  private void fill() throws IOException {
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator, -1)) {
      Path from = Path.of(entry);
      if (!entry.isEmpty() && Files.exists(from)) {
        String name = entries.size() + "-" + from.getFileName();
        copy(from, copy.resolve(name));
        entries.add(SHARED + "/" + name);
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  /**
   * The command that runs a class of it in the VM, which has one and a half GiB of memory.
   *
   * @param options of its Java, such as {@code -Xmx256m}
   * @param main the name of a class with a main method
   */
  public List<String> command(List<String> options, String main, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("java", "-XX:+UseSerialGC"));
    command.addAll(options);
    command.addAll(List.of("-cp", String.join(":", entries), main));
    command.addAll(arguments);
    return command;
  }

  /** Removes the copy; the VM loads no class any more. */
  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(copy)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
