package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The commands of LXC, and {@code btrfs} for the root file systems, each run to its end. */
final class LxcCli implements Subject {
  private final ToolPool pool;
  private final Path containers;
  private final String[] where;

  /**
   * @param containers a directory of its own, canonical
   */
  LxcCli(ToolPool pool, Path containers) {
    this.pool = pool;
    this.containers = containers;
    this.where = new String[] {"-P", containers.toString(), "-n"};
  }

  @Override
  public String name() {
    return "lxc-cli";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    return Map.of(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
  }

  @Override
  public Container create(String name) throws IOException, InterruptedException {
    return make(name, pool.image());
  }

  private Box make(String name, Path source) throws IOException, InterruptedException {
    Box box = new Box(name);
    pool.snapshot(source, box.root(), false);
    Files.createDirectory(box.directory());
    String config =
        LxcFiles.config(name, box.root(), true, box.directory().resolve("log"), List.of());
    Files.writeString(box.directory().resolve("config"), config);
    return box;
  }

  private Tool lxc(String program, String name) {
    return new Tool(program, where[0], where[1], where[2], name);
  }

  /** Ends what still runs; each container is gone otherwise. */
  @Override
  public void close() throws IOException, InterruptedException {
    try (var left = Files.newDirectoryStream(containers)) {
      for (Path directory : left) {
        new Box(directory.getFileName().toString()).delete();
      }
    }
  }

  private final class Box extends SubvolumeContainer {
    private final String name;

    Box(String name) {
      super(pool, name);
      this.name = name;
    }

    private Path directory() {
      return containers.resolve(name);
    }

    @Override
    boolean runs() throws IOException, InterruptedException {
      return lxc("lxc-info", name).run("-s", "-H").strip().equals("RUNNING");
    }

    @Override
    public void start() throws IOException, InterruptedException {
      lxc("lxc-start", name).runDetached(directory().resolve("out"), "-d");
    }

    @Override
    public void execTrue() throws IOException, InterruptedException {
      lxc("lxc-attach", name).run("--", "/bin/true");
    }

    @Override
    public void stop() throws IOException, InterruptedException {
      lxc("lxc-stop", name).run("-k");
    }

    @Override
    public void delete() throws IOException, InterruptedException {
      if (runs()) {
        stop();
      }
      deleteSubvolumes();
      LxcFiles.delete(directory());
    }

    @Override
    public Container copyTo(String copy) throws IOException, InterruptedException {
      return make(copy, root());
    }
  }
}
