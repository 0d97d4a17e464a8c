package dev.stapes.testkit;

import dev.stapes.Instance;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** What an instance looks like when its test has failed. Never instantiated. */
final class FailureReport {
  private static final int MOST = 4096;

  private FailureReport() {}

  /** Console log, record, state, mounts and cgroups; what cannot be read says why. */
  static String of(Instance instance) {
    StringBuilder report = new StringBuilder();
    section(report, "instance", () -> instance.info().toString());
    section(report, "state", () -> instance.state().toString());
    section(report, "console", () -> instance.consoleLog().text());
    OptionalLong pid = pid(instance);
    if (pid.isPresent()) {
      Path process = Path.of("/proc", Long.toString(pid.getAsLong()));
      section(report, "mounts", () -> text(process.resolve("mountinfo"), 1 << 20));
      section(report, "cgroups", () -> cgroups(process));
    }
    return report.toString();
  }

  private static OptionalLong pid(Instance instance) {
    try {
      return instance.state().pid();
    } catch (StapesException e) {
      return OptionalLong.empty(); // the section of the state says why
    }
  }

  private static void section(StringBuilder report, String title, Callable<String> content) {
    report.append("==== ").append(title).append('\n');
    try {
      report.append(content.call().strip());
    } catch (Exception e) {
      report.append("cannot be read: ").append(e);
    }
    report.append("\n\n");
  }

  /** The small files of each cgroup of a process, cgroups(7). */
  private static String cgroups(Path process) throws IOException {
    StringBuilder all = new StringBuilder();
    for (String line : Files.readAllLines(process.resolve("cgroup"))) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3) {
        cgroup(fields[1], fields[2], all);
      }
    }
    return all.toString();
  }

  private static void cgroup(String controllers, String path, StringBuilder into)
      throws IOException {
    Path hierarchies = Path.of("/sys/fs/cgroup");
    Path top =
        controllers.isEmpty()
            ? Files.isDirectory(hierarchies.resolve("unified"))
                ? hierarchies.resolve("unified")
                : hierarchies
            : hierarchies.resolve(controllers.replace("name=", ""));
    Path group = top.resolve(path.substring(1));
    into.append("-- ").append(controllers).append(' ').append(group).append('\n');
    if (!Files.isDirectory(group)) {
      return;
    }
    List<Path> files;
    try (Stream<Path> entries = Files.list(group)) {
      files = entries.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (name.matches("(memory|pids|cpu|cpuset|cgroup|freezer|blkio|io)\\..*")) {
        into.append(name).append(": ").append(text(file, MOST).strip()).append('\n');
      }
    }
  }

  private static String text(Path file, int most) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(most), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "(" + e.getMessage() + ")"; // some cgroup files can only be written
    }
  }
}
