package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Place;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Measures path by path, with the same root file system on the same Btrfs. */
final class Session {
  private final Place place;
  private final LoopBtrfs btrfs;
  private final Inputs inputs;
  private final Path rootfs;
  private final Contents contents;
  private final Unpackers unpackers;
  private final Isolated isolated;
  private final Map<String, String> sizes = new LinkedHashMap<>();
  private final Map<String, String> missing = new LinkedHashMap<>();
  private final Map<String, String> failures = new LinkedHashMap<>();

  private Session(
      Place place,
      LoopBtrfs btrfs,
      Inputs inputs,
      Contents contents,
      Unpackers unpackers,
      Isolated isolated) {
    this.place = place;
    this.btrfs = btrfs;
    this.inputs = inputs;
    this.rootfs = rootfs(btrfs);
    this.contents = contents;
    this.unpackers = unpackers;
    this.isolated = isolated;
  }

  private static Path rootfs(LoopBtrfs btrfs) {
    return btrfs.path("rootfs");
  }

  /** Has measured nothing; the root file system is there. */
  static Session begin(Place place, Host host, LoopBtrfs btrfs, Options options, PrintStream out)
      throws IOException, InterruptedException {
    Path kept = options.inputs().toAbsolutePath();
    Inputs inputs = new Inputs(kept, place.work(), host, out);
    Contents contents = inputs.unpackInto(btrfs, rootfs(btrfs));
    return new Session(
        place,
        btrfs,
        inputs,
        contents,
        new Unpackers(host, btrfs, contents),
        new Isolated(options.run().runs(), out));
  }

  /** Measures a path; where it cannot be, that is a failure of the results. */
  void measure(UnpackPath path) throws IOException, InterruptedException {
    try {
      switch (path) {
        case TAR_ZST, TAR_GZ, TAR_XZ, SQUASHFS -> file(path);
        case INSTANT -> instant();
        case OCI_SHARED -> ociShared();
      }
    } catch (IOException | RuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException(path.label() + ": " + e.getMessage());
      }
      failures.put(path.label(), String.valueOf(e.getMessage()));
    }
  }

  private void file(UnpackPath path) throws IOException, InterruptedException {
    Path archive = archive(path);
    isolated.measure(path.label(), unpackers.of(path, archive, inputs.metadata()));
  }

  private Path archive(UnpackPath path) throws IOException, InterruptedException {
    Path archive = Inputs.warm(inputs.archive(path, rootfs));
    sizes.put(path.label(), Markdown.number(Files.size(archive) / 1e6) + " MB");
    return archive;
  }

  private void instant() throws IOException, InterruptedException {
    SplitImages images =
        SplitImages.of(
            inputs.metadata(), archive(UnpackPath.SQUASHFS), place.directory("metadata"));
    try (FirstLaunch launch = new FirstLaunch(images, place, btrfs, missing)) {
      isolated.measure(UnpackPath.INSTANT.label(), launch.entrants());
    }
  }

  private void ociShared() throws IOException, InterruptedException {
    Path layout = inputs.layout(rootfs);
    try (OciShared shared = OciShared.start(place.work().resolve("registry"), layout, btrfs)) {
      isolated.measure(UnpackPath.OCI_SHARED.label(), shared.entrants());
    }
  }

  /**
   * All that was measured.
   *
   * @param facts about the machine
   */
  Results results(Map<String, String> facts) {
    Map<String, String> all = new LinkedHashMap<>(facts);
    all.put(
        "Root file system",
        "Debian by debootstrap, "
            + contents
            + ", onto a Btrfs in a loop file, from files in the page cache");
    all.put("Files", sizes.toString().replaceAll("[{}]", "").replace('=', ' '));
    Map<String, String> failed = new LinkedHashMap<>(failures);
    failed.putAll(isolated.failures());
    return new Results(all, isolated.rows(), missing, failed);
  }
}
