package dev.stapes.benchmarks.storage;

import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What reads and writes in a container, and says how long that took. */
interface IoTool {
  /** The file that it works on, within the container. */
  String FILE = "/root/io.dat";

  /** What it is, for the report. */
  String description();

  /** Whether it does what a path asks for. */
  boolean does(StoragePath path);

  /** What a container needs for it. */
  Optional<Device> device();

  /** The command that makes the file as it is before the path is measured. */
  List<String> prepare(StoragePath path, int turn);

  /**
   * The command of a run.
   *
   * @param turn of this run; random ones have a sequence of their own in each
   */
  List<String> command(StoragePath path, int turn);

  /**
   * How long the run took, by what the tool says.
   *
   * @throws IOException quoting what it said where that makes no sense
   */
  long nanos(StoragePath path, ExecResult said) throws IOException;
}
