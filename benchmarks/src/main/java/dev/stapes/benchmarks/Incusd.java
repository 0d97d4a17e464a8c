package dev.stapes.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An Incus daemon of our own: in mount, network and process namespaces of its own, with a directory
 * of its own, and with its packages' files laid over {@code /usr} where they are not installed. One
 * signal to the first process of the namespace ends it with all of its containers, and takes its
 * mounts and loop device along.
 */
public final class Incusd implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Process process;
  private final Path directory;
  private final Tool client;

  private Incusd(Process process, Path directory, Tool client) {
    this.process = process;
    this.directory = directory;
    this.client = client;
  }

  /**
   * Starts one, with a Btrfs pool and a default profile with the limits.
   *
   * @param hooks whether containers get the hooks that the package of LXCFS installs
   * @param pool where its pool is: {@code size=2GiB} for a loop file, or {@code source=} and a
   *     directory on a Btrfs that does not exist
   * @throws IOException with the reason, also where it could not be fetched
   */
  public static Incusd start(Place place, String name, boolean hooks, String pool)
      throws IOException, InterruptedException {
    Path incus = place.need("incus", "incus");
    Path directory = place.directory(name);
    Path log = directory.resolve("log");
    Path data = Files.createDirectory(directory.resolve("d"));
    Files.writeString(directory.resolve("start"), script(place));
    Tool namespaces =
        new Tool(
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "--mount-proc",
                "--propagation=private")
            .environment("INCUS_DIR", data.toString());
    if (!hooks) {
      String none = directory.resolve("no-such-directory").toString();
      namespaces.environment("INCUS_LXC_TEMPLATE_CONFIG", none);
    }
    Process process = namespaces.start(log, "sh", directory.resolve("start").toString());
    Tool client =
        new Tool(incus.toString())
            .environment("INCUS_DIR", data.toString())
            .environment("INCUS_CONF", place.directory(name + "-client").toString());
    Incusd daemon = new Incusd(process, data, client);
    try {
      daemon.awaitAnswer(log);
      daemon.fill(pool);
      return daemon;
    } catch (IOException | InterruptedException | RuntimeException e) {
      daemon.close();
      throw e;
    }
  }

  /** The first process of the namespace reaps what the daemon's containers leave it. */
  private static String script(Place place) {
    String own = place.root().resolve("usr").toString();
    boolean fetched = Files.isExecutable(place.root().resolve("usr/libexec/incus/incusd"));
    String overlay =
        fetched ? "mount -t overlay overlay -o 'lowerdir=" + own + ":/usr' /usr\n" : "";
    return "set -e\n"
        + overlay
        + "ip link set lo up\n"
        + "/usr/libexec/incus/incusd --logfile \"$INCUS_DIR/../incusd.log\" &\n"
        + "wait $!\n";
  }

  private void awaitAnswer(Path log) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    @Nullable IOException last = null;
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (UnixHttp http = UnixHttp.connect(socket())) {
        http.request("GET", "/1.0", new byte[0]);
        client.run("admin", "waitready", "--timeout=60");
        return;
      } catch (IOException e) {
        last = e; // not there yet
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
    String said = Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
    throw new IOException("incusd does not answer: " + said, last);
  }

  private void fill(String pool) throws IOException, InterruptedException {
    client.run("storage", "create", "default", "btrfs", pool);
    client.run("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default");
    client.run(
        "profile",
        "set",
        "default",
        "limits.memory=" + (Limit.MEMORY >> 20) + "MiB",
        "limits.processes=" + Limit.PROCESSES);
  }

  /**
   * Imports an image.
   *
   * @param files one of a unified image, two of a split one
   */
  public void importImage(String alias, Path... files) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("image", "import"));
    for (Path file : files) {
      arguments.add(file.toString());
    }
    arguments.addAll(List.of("--alias", alias));
    client.run(arguments.toArray(new String[0]));
  }

  /** Its socket. */
  public Path socket() {
    return directory.resolve("unix.socket");
  }

  /** The command line client that speaks to it. */
  public Tool client() {
    return client;
  }

  /** The process whose descendants are the daemon and its containers. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** Ends it with everything in its namespaces. */
  @Override
  public void close() throws InterruptedException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    process.waitFor();
  }
}
