package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Facts;
import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Place;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Measures point by point, the subjects in turns; and knows what it has measured at any time. */
final class Session implements AutoCloseable {
  /** Of subjects and paths where nothing or little is to be compiled. */
  private static final int FEW_WARM_UPS = 1;

  private static final Set<String> PACKAGES =
      Set.of("btrfs-progs", "fio", "liblxc1", "lvm2", "tar", "util-linux", "zfsutils-linux");

  private final Options options;
  private final Place place;
  private final ProgressBar progress;
  private final Isolated isolated;
  private final Map<String, Point> points = new LinkedHashMap<>();
  private final Map<String, String> descriptions = new LinkedHashMap<>();
  private final Map<String, String> notAvailable = new LinkedHashMap<>();
  private final Map<String, String> failures = new LinkedHashMap<>();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final List<VolumeLanes> lanes = new ArrayList<>();
  private String ioTool = "";

  /** Has measured nothing. */
  Session(Options options, Place place, ProgressBar progress) {
    this.options = options;
    this.place = place;
    this.progress = progress;
    this.isolated = new Isolated(options.run().runs(), progress);
    points(options).forEach(point -> points.put(point.label(), point));
  }

  /** All that a run measures. */
  static List<Point> points(Options options) {
    return options.paths().stream()
        .flatMap(path -> Point.of(path, options.scale()).stream())
        .toList();
  }

  /**
   * Measures all.
   *
   * @throws InterruptedException where somebody did not want to wait: {@link #results} has what
   *     there is, and {@link #close} undoes the rest
   */
  void measure() throws IOException, InterruptedException {
    if (options.paths().stream().anyMatch(path -> !path.inContainer())) {
      openVolumes();
      for (Point point : points.values()) {
        if (!point.path().inContainer()) {
          volumes(point);
        }
      }
      progress.note("removing the pools");
      close();
      lanes.clear();
    }
    if (options.paths().stream().anyMatch(StoragePath::inContainer)) {
      containers();
    }
  }

  private void openVolumes() throws IOException, InterruptedException {
    progress.note("making the pools");
    Host host = new LinuxHostProvider().open();
    opened.push(host);
    Inputs inputs = Inputs.make(options.scale(), options.seed(), place.directory("inputs"));
    for (PoolChoice choice : options.pools()) {
      addPool(host, choice, inputs);
    }
    if (lanes.isEmpty()) {
      throw new IOException("no pool could be made: " + notAvailable);
    }
  }

  private void addPool(Host host, PoolChoice choice, Inputs inputs)
      throws IOException, InterruptedException {
    String subject = choice.name();
    try {
      PoolVolumes pool = PoolVolumes.make(host, choice, place.directory("pool-" + subject));
      add(pool, inputs);
      Optional<Baseline> baseline = Baseline.of(choice);
      if (baseline.isPresent()) {
        subject = choice.name() + Baseline.SUFFIX;
        add(baseline.get().make(subject, place.directory(subject), pool.bytes()), inputs);
      }
    } catch (IOException | RuntimeException e) {
      unlessInterrupted(e);
      notAvailable.put(subject, String.valueOf(e.getMessage()));
      progress.line("  " + subject + " is NOT AVAILABLE: " + e.getMessage());
    }
  }

  private void add(Volumes volumes, Inputs inputs) throws IOException {
    opened.push(volumes);
    descriptions.put(volumes.name(), volumes.description());
    lanes.add(new VolumeLanes(volumes, inputs, place.directory("streams")));
  }

  private static void unlessInterrupted(Exception e) throws InterruptedException {
    // Cleared, so that what is undone now is not cut short.
    if (Thread.interrupted()) {
      throw new InterruptedException(e.getMessage());
    }
  }

  private void volumes(Point point) throws InterruptedException {
    List<Isolated.Entrant> entrants = new ArrayList<>();
    for (VolumeLanes each : lanes) {
      if (can(each, point)) {
        Volumes subject = each.volumes();
        entrants.add(
            new Isolated.Entrant(
                subject.name(),
                subject.inProcess() ? warmUps(point) : FEW_WARM_UPS,
                false,
                () -> each.open(point)));
      }
    }
    isolated.measure(point.label(), entrants);
  }

  private int warmUps(Point point) {
    return switch (point.path()) {
      case CREATE, CLONE, RESTORE, DELETE, SNAPSHOT -> options.scale().warmUps();
      default -> FEW_WARM_UPS;
    };
  }

  /** Whether a subject has the point; where not, that is noted. */
  private boolean can(VolumeLanes lane, Point point) throws InterruptedException {
    String key = Results.key(lane.volumes().name(), point);
    if (point.path().streams() && lane.volumes().streams().isEmpty()) {
      notAvailable.put(key, "the pool makes no streams of its volumes");
      return false;
    }
    return point.path() != StoragePath.SNAPSHOT || isAged(lane, point.at(), key);
  }

  private boolean isAged(VolumeLanes lane, int snapshots, String key) throws InterruptedException {
    progress.note("making " + snapshots + " snapshots on " + lane.volumes().name());
    Duration patience = options.scale().patience();
    try {
      int made = lane.age(snapshots, System.nanoTime() + patience.toNanos());
      if (made < snapshots) {
        String reason = made + " snapshots took longer than " + patience.toSeconds() + " s";
        notAvailable.put(key, reason);
      }
      return made >= snapshots;
    } catch (IOException | RuntimeException e) {
      unlessInterrupted(e);
      failures.put(key, String.valueOf(e.getMessage()));
      progress.failed(key, e);
      return false;
    }
  }

  private IoTool ioTool() throws IOException, InterruptedException {
    try {
      return Fio.find(place, options.scale(), options.seed());
    } catch (IOException e) {
      progress.line("  fio is MISSING: " + e.getMessage());
      notAvailable.put("fio", String.valueOf(e.getMessage()));
      return new Dd(options.scale());
    }
  }

  private void containers() throws IOException, InterruptedException {
    progress.note("starting a container on each pool");
    IoTool tool = ioTool();
    ioTool = tool.description();
    Boxes boxes = Boxes.open(place.work().resolve("stapes"), tool);
    opened.push(boxes);
    List<String> pools = new ArrayList<>();
    for (PoolChoice choice : options.pools()) {
      try {
        boxes.add(choice);
        pools.add(choice.name());
        descriptions.putIfAbsent(choice.name(), choice.toString());
      } catch (RuntimeException e) {
        unlessInterrupted(e);
        notAvailable.putIfAbsent(choice.name(), String.valueOf(e.getMessage()));
      }
    }
    for (Point point : points.values()) {
      if (point.path().inContainer()) {
        io(boxes, tool, pools, point);
      }
    }
  }

  private void io(Boxes boxes, IoTool tool, List<String> pools, Point point)
      throws InterruptedException {
    if (!tool.does(point.path())) {
      pools.forEach(pool -> notAvailable.put(Results.key(pool, point), "it takes fio"));
    } else {
      isolated.measure(
          point.label(),
          pools.stream()
              .map(
                  pool ->
                      new Isolated.Entrant(
                          pool, FEW_WARM_UPS, false, () -> boxes.lane(pool, point.path())))
              .toList());
    }
  }

  /** How much a run at a point does, in what its unit counts. */
  private long work(Point point) {
    return switch (point.path().unit()) {
      case MEGABYTES_PER_SECOND -> options.scale().ioBytes();
      case OPERATIONS_PER_SECOND -> options.scale().ioOperations();
      case CLONES_PER_SECOND -> options.scale().clones();
      case MILLISECONDS -> 1;
    };
  }

  /** All that was measured until now. */
  Results results(boolean interrupted) throws IOException {
    List<Measurement> measurements = new ArrayList<>();
    for (Isolated.Timing each : isolated.timings()) {
      Point point = points.get(each.path());
      if (point != null) {
        measurements.add(Measurement.of(point, each.subject(), each.nanos(), work(point)));
      }
    }
    Map<String, String> failed = new LinkedHashMap<>(failures);
    failed.putAll(isolated.failures());
    return new Results(
        options.seed(),
        interrupted,
        facts(),
        List.copyOf(descriptions.keySet()),
        measurements,
        notAvailable,
        failed);
  }

  private Map<String, String> facts() throws IOException {
    Scale scale = options.scale();
    Map<String, String> facts =
        Facts.of(place, options.run().runs() + " for each figure, the subjects in turns");
    facts.computeIfPresent("Packages", (name, all) -> ofStorage(all));
    version("ZFS", Path.of("/sys/module/zfs/version"), facts);
    facts.put("Mode", scale.name() + ", seed " + options.seed());
    descriptions.forEach((name, what) -> facts.put("Subject " + name, what));
    facts.put(
        "Volumes",
        scale.files()
            + " files of "
            + megabytes(scale.bytes())
            + " together; for many snapshots and for clones in parallel (of which each run makes "
            + scale.clones()
            + ") "
            + Scale.SMALL_FILES
            + " files of 64 KiB together; one file of "
            + megabytes(scale.largeBytes())
            + " for the first write");
    if (!ioTool.isEmpty()) {
      facts.put("In containers", ioTool);
    }
    return facts;
  }

  /** Of all packages that are there, those that matter here. */
  private static String ofStorage(String packages) {
    return Arrays.stream(packages.split(", ", -1))
        .filter(each -> PACKAGES.contains(each.split(" ", 2)[0]))
        .collect(Collectors.joining(", "));
  }

  private static void version(String name, Path file, Map<String, String> facts)
      throws IOException {
    if (Files.exists(file)) {
      facts.put(name, Files.readString(file).strip());
    }
  }

  private static String megabytes(long bytes) {
    return Markdown.number(bytes / 1e6) + " MB";
  }

  /** Removes all that is there: pools, containers, mounts. What fails does not keep the rest. */
  @Override
  public void close() throws IOException {
    IOException failed = null;
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        if (failed == null) {
          failed = new IOException("not all could be removed: " + e.getMessage(), e);
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
