package dev.stapes.benchmarks.storage;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Tool;
import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * fio(1), which is what people know: direct I/O, one request at a time. Its program and libraries
 * are in one directory, which containers see read-only: whatever image they have, it runs there.
 */
final class Fio implements IoTool {
  private static final String THERE = "/opt/fio";
  private static final String LOADER = "ld.so";
  private static final int BLOCK = 4096;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Such as {@code libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)}, or the loader alone. */
  private static final Pattern LIBRARY = Pattern.compile("(?:=> )?(/\\S+) \\(0x[0-9a-f]+\\)");

  private final Path directory;
  private final String version;
  private final Scale scale;
  private final long seed;

  private Fio(Path directory, String version, Scale scale, long seed) {
    this.directory = directory;
    this.version = version;
    this.scale = scale;
    this.seed = seed;
  }

  /**
   * Puts what it needs into a directory of the run.
   *
   * @throws IOException saying why it cannot be had
   */
  static Fio find(Place place, Scale scale, long seed) throws IOException, InterruptedException {
    Path program = place.need("fio", "fio");
    Path directory = place.directory("fio");
    Files.copy(program, directory.resolve("fio"), StandardCopyOption.REPLACE_EXISTING);
    for (Path library : libraries(ldd(place, program))) {
      boolean loader = library.getFileName().toString().startsWith("ld-");
      String name = loader ? LOADER : library.getFileName().toString();
      Files.copy(library, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
    String version =
        new Tool(command(directory.toString()).toArray(String[]::new)).run("--version").strip();
    return new Fio(directory, version, scale, seed);
  }

  /** Debian's package has some libraries in a directory that is known to others by its path. */
  private static String ldd(Place place, Path program) throws IOException, InterruptedException {
    Path fetched = place.libraryDirectory();
    return new Tool("ldd")
        .environment("LD_LIBRARY_PATH", fetched + ":" + fetched.resolve("ceph"))
        .run(program.toString());
  }

  /** Independent of what else is where it runs. */
  private static List<String> command(String directory) {
    return List.of(directory + "/" + LOADER, "--library-path", directory, directory + "/fio");
  }

  /** The files that ldd(1) tells of. */
  static List<Path> libraries(String ldd) {
    List<Path> all = new ArrayList<>();
    Matcher matcher = LIBRARY.matcher(ldd);
    while (matcher.find()) {
      all.add(Path.of(matcher.group(1)));
    }
    return all;
  }

  @Override
  public String description() {
    return version + ", direct I/O, one request at a time, a file of " + scale.ioBytes() + " bytes";
  }

  @Override
  public boolean does(StoragePath path) {
    return path.inContainer();
  }

  @Override
  public Optional<Device> device() {
    return Optional.of(Device.disk(THERE, disk -> disk.source(directory.toString()).readOnly()));
  }

  @Override
  public List<String> prepare(StoragePath path, int turn) {
    return command(StoragePath.SEQUENTIAL_WRITE, turn);
  }

  @Override
  public List<String> command(StoragePath path, int turn) {
    boolean random = isRandom(path);
    List<String> command = new ArrayList<>(command(THERE));
    command.addAll(
        List.of(
            "--name=bench",
            "--filename=" + FILE,
            "--size=" + scale.ioBytes(),
            "--ioengine=psync",
            "--direct=1",
            "--thread",
            "--fallocate=none",
            "--allrandrepeat=1",
            "--randseed=" + (seed + turn),
            "--output-format=json",
            "--rw=" + mode(path),
            "--bs=" + (random ? "4k" : "1m")));
    if (random) {
      command.add("--norandommap");
      command.add("--io_size=" + (long) scale.ioOperations() * BLOCK);
    }
    return command;
  }

  private static boolean isRandom(StoragePath path) {
    return path == StoragePath.RANDOM_READ || path == StoragePath.RANDOM_WRITE;
  }

  private static String mode(StoragePath path) {
    return switch (path) {
      case SEQUENTIAL_READ -> "read";
      case SEQUENTIAL_WRITE -> "write";
      case RANDOM_READ -> "randread";
      case RANDOM_WRITE -> "randwrite";
      default -> throw new IllegalArgumentException(path.label());
    };
  }

  @Override
  public long nanos(StoragePath path, ExecResult said) throws IOException {
    return nanos(path, said.stdout());
  }

  /** Out of its JSON: the requests that it made, by how many it made a second. */
  static long nanos(StoragePath path, String output) throws IOException {
    boolean read = path == StoragePath.SEQUENTIAL_READ || path == StoragePath.RANDOM_READ;
    JsonNode side;
    try {
      // What it warns of comes first.
      JsonNode all = JSON.readTree(output.substring(Math.max(output.indexOf('{'), 0)));
      side = all.path("jobs").path(0).path(read ? "read" : "write");
    } catch (JsonProcessingException e) {
      throw new IOException("fio said no JSON: " + start(output), e);
    }
    double perSecond = side.path("iops").asDouble();
    long requests = side.path("total_ios").asLong();
    if (perSecond <= 0 || requests <= 0) {
      throw new IOException("fio says nothing of what it did: " + start(output));
    }
    return Math.round(requests / perSecond * 1e9);
  }

  private static String start(String output) {
    return output.strip().lines().findFirst().orElse("nothing at all");
  }
}
