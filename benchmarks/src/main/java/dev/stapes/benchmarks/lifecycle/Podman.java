package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Limit;
import dev.stapes.benchmarks.Place;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Podman over runc, with its Btrfs storage on the file system of the other tools. */
final class Podman implements Subject {
  private static final String NO_SNAPSHOTS = "cannot put a container back to what it was";

  private final Tool podman;
  private final Path log;

  /**
   * @param directory a directory of its own
   */
  Podman(ToolPool pool, Path directory, Place place) throws IOException, InterruptedException {
    this.log = directory.resolve("log");
    Path program = place.need("podman", "podman");
    Path home = configure(pool, directory, place);
    String[] options = {
      "--root", pool.path("podman").toString(),
      "--runroot", place.shortPath().toString(),
      "--tmpdir", directory.resolve("tmp").toString(),
      "--storage-driver", "btrfs",
      "--cgroup-manager", "cgroupfs",
      "--events-backend", "none",
      "--runtime", place.need("podman", "runc").toString(),
      "--conmon", place.need("podman", "conmon").toString()
    };
    this.podman =
        place
            .tool(program, options)
            .environment("HOME", home.toString())
            .environment("XDG_CONFIG_HOME", home.resolve(".config").toString())
            .environment("CONTAINERS_CONF", directory.resolve("containers.conf").toString())
            .environment("CONTAINERS_STORAGE_CONF", directory.resolve("storage.conf").toString());
    Path tar = directory.resolve("image.tar");
    new Tool("tar").run("-C", pool.image().toString(), "-cf", tar.toString(), ".");
    podman.run("import", "-q", tar.toString(), "image");
  }

  private static Path configure(ToolPool pool, Path directory, Place place) throws IOException {
    Path home = directory.resolve("home");
    Path config = Files.createDirectories(home.resolve(".config/containers"));
    Files.writeString(
        config.resolve("policy.json"), "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}");
    // Without limits it raises those of the machine, which not every root may.
    Files.writeString(
        directory.resolve("containers.conf"),
        "[containers]\ndefault_ulimits = [\"nofile=1024:4096\", \"nproc=4096:4096\"]\n"
            + "[network]\ncni_plugin_dirs = [\""
            + place.root().resolve("usr/lib/cni")
            + "\"]\n");
    Files.writeString(
        directory.resolve("storage.conf"),
        "[storage]\ndriver = \"btrfs\"\ngraphroot = \""
            + pool.path("podman")
            + "\"\nrunroot = \""
            + place.shortPath()
            + "\"\n");
    return home;
  }

  @Override
  public String name() {
    return "podman";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    Map<LifecyclePath, String> left = new EnumMap<>(LifecyclePath.class);
    left.put(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
    left.put(LifecyclePath.SNAPSHOT, NO_SNAPSHOTS);
    left.put(LifecyclePath.CLONE, "copies a container's options, not its files");
    left.put(LifecyclePath.RESTORE_RUNNING, NO_SNAPSHOTS);
    left.put(LifecyclePath.RESTORE_STOPPED, NO_SNAPSHOTS);
    return left;
  }

  @Override
  public Container create(String name) throws IOException, InterruptedException {
    podman.run(arguments(name, "create"));
    return new Box(name);
  }

  /** It can create and start in one command. */
  @Override
  public void cycle(String name) throws IOException, InterruptedException {
    Box box = new Box(name);
    podman.runDetached(log, arguments(name, "run", "--detach"));
    try {
      box.execTrue();
    } finally {
      box.delete();
    }
  }

  private static String[] arguments(String name, String... command) {
    String map = "0:" + Limit.FIRST_ID + ":" + Limit.IDS;
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(
        List.of(
            "--name=" + name,
            "--network=none",
            "--uidmap=" + map,
            "--gidmap=" + map,
            "--memory=" + Limit.MEMORY,
            "--pids-limit=" + Limit.PROCESSES,
            "--cgroup-parent=/" + name,
            "image",
            "/sbin/init"));
    return all.toArray(new String[0]);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    podman.run("rm", "--all", "--force", "--time=0");
    podman.run("rmi", "--all", "--force");
  }

  private final class Box implements Container {
    private final String name;

    Box(String name) {
      this.name = name;
    }

    @Override
    public void start() throws IOException, InterruptedException {
      podman.runDetached(log, "start", name);
    }

    @Override
    public void execTrue() throws IOException, InterruptedException {
      podman.run("exec", name, "true");
    }

    @Override
    public void stop() throws IOException, InterruptedException {
      podman.run("stop", "--time=0", name);
    }

    @Override
    public void delete() throws IOException, InterruptedException {
      podman.run("rm", "--force", "--time=0", name);
    }
  }
}
