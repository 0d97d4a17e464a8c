package dev.stapes.lxc.driver;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The id map of a process that runs, from proc(5) and user_namespaces(7). */
final class RunningIds {
  private static final Path PROC = Path.of("/proc");

  private RunningIds() {}

  /**
   * The map of a process; empty: it is in the user namespace of this JVM.
   *
   * @throws StapesException NOT_FOUND where the process has ended
   */
  static Optional<IdMapping> of(long pid) {
    Path process = PROC.resolve(Long.toString(pid));
    try {
      Path ours = Files.readSymbolicLink(PROC.resolve("self/ns/user"));
      if (Files.readSymbolicLink(process.resolve("ns/user")).equals(ours)) {
        return Optional.empty();
      }
      return Optional.of(
          new IdMapping(ranges(process.resolve("uid_map")), ranges(process.resolve("gid_map"))));
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND, "process " + pid, "its id map cannot be read: " + e, e);
    }
  }

  private static List<IdMapping.Range> ranges(Path map) throws IOException {
    List<IdMapping.Range> ranges = new ArrayList<>();
    for (String line : Files.readAllLines(map)) {
      String[] numbers = line.strip().split(" +", -1);
      ranges.add(
          new IdMapping.Range(
              Long.parseLong(numbers[0]), Long.parseLong(numbers[1]), Long.parseLong(numbers[2])));
    }
    return ranges;
  }
}
