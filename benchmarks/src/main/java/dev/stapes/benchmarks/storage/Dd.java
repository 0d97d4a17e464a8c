package dev.stapes.benchmarks.storage;

import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The dd of the image, where fio is missing: zeros, written with an fsync at the end, and read
 * again, which the page cache may answer. It has nothing random.
 */
final class Dd implements IoTool {
  private static final long MIB = 1 << 20;
  private static final Pattern TOOK = Pattern.compile("copied, ([0-9.e-]+) s");

  private final Scale scale;

  Dd(Scale scale) {
    this.scale = scale;
  }

  @Override
  public String description() {
    return "dd of busybox in blocks of 1 MiB, with fsync, through the page cache; zeros, "
        + scale.ioBytes()
        + " bytes";
  }

  @Override
  public boolean does(StoragePath path) {
    return path == StoragePath.SEQUENTIAL_READ || path == StoragePath.SEQUENTIAL_WRITE;
  }

  @Override
  public Optional<Device> device() {
    return Optional.empty();
  }

  @Override
  public List<String> prepare(StoragePath path, int turn) {
    return command(StoragePath.SEQUENTIAL_WRITE, turn);
  }

  @Override
  public List<String> command(StoragePath path, int turn) {
    return switch (path) {
      case SEQUENTIAL_WRITE ->
          List.of(
              "dd",
              "if=/dev/zero",
              "of=" + FILE,
              "bs=1M",
              "count=" + scale.ioBytes() / MIB,
              "conv=fsync");
      case SEQUENTIAL_READ -> List.of("dd", "if=" + FILE, "of=/dev/null", "bs=1M");
      default -> throw new IllegalArgumentException(path.label());
    };
  }

  @Override
  public long nanos(StoragePath path, ExecResult said) throws IOException {
    return nanos(said.stderr());
  }

  /** Out of its last line. */
  static long nanos(String complained) throws IOException {
    Matcher matcher = TOOK.matcher(complained);
    if (!matcher.find()) {
      throw new IOException("dd does not say how long it took: " + complained.strip());
    }
    return Math.max(1, Math.round(Double.parseDouble(matcher.group(1)) * 1e9));
  }
}
