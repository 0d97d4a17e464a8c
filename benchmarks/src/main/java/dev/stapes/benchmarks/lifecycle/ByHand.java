package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Limit;
import dev.stapes.linux.IdRange;
import dev.stapes.linux.MountFlag;
import dev.stapes.linux.MountNamespace;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.UserNamespace;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The fastest that packaged programs and system calls can be put together by hand, for one purpose
 * and without an engine: no names, locks, state, recovery or errors to speak of. A throwaway lives
 * on a tmpfs overlay over an idmapped image; all else on Btrfs by its tool.
 */
final class ByHand implements Subject {
  private static final long SCRATCH_BYTES = 64L << 20;

  /** Of the version 1 hierarchies, those that the limits need; {@code lxc.conf(5)}. */
  private static final String GLOBAL = "lxc.cgroup.use = memory,pids,cpu,freezer,devices\n";

  /** Without a console the first process keeps the pipes that lxc-start has. */
  private static final List<String> OWN_STREAMS = List.of("lxc.console.path = none");

  private final Syscalls sys = Syscalls.system();
  private final MountNamespace mounts = new MountNamespace(sys);
  private final ToolPool pool;
  private final Path program;
  private final Path containers;
  private final Path roots;
  private final Path lower;
  private final List<Path> groups;
  private final Spawner spawner;
  private final HandTicker ticker;

  /**
   * @param directory a directory of its own, canonical
   */
  ByHand(ToolPool pool, Path directory, Path program) throws IOException, InterruptedException {
    this.pool = pool;
    this.program = program;
    this.containers = Files.createDirectory(directory.resolve("containers"));
    this.roots = Files.createDirectory(directory.resolve("roots"));
    this.lower = Files.createDirectory(directory.resolve("lower"));
    this.groups = HandTicker.groups("self");
    Path global = Files.createDirectory(directory.resolve("etc-lxc"));
    if (Files.isDirectory(Path.of("/sys/fs/cgroup/pids"))) {
      Files.writeString(global.resolve("lxc.conf"), GLOBAL);
    }
    this.spawner = Spawner.openWithPrivateMounts(sys, "by-hand");
    try {
      prepare(global);
      this.ticker = new HandTicker(sys, spawner);
    } catch (IOException | RuntimeException e) {
      spawner.close();
      throw e;
    }
  }

  private void prepare(Path global) {
    List<IdRange> ids = List.of(new IdRange(0, Limit.FIRST_ID, Limit.IDS));
    try (UserNamespace users = UserNamespace.create(sys, spawner, ids, ids)) {
      spawner.call(
          () -> {
            mounts.bind(global, Path.of("/etc/lxc"));
            mounts.bindIdmapped(pool.image(), lower, users, Set.of(MountFlag.READ_ONLY));
            return lower;
          });
    }
  }

  @Override
  public String name() {
    return "by-hand";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    return Map.of(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
  }

  @Override
  public boolean inProcess() {
    return true;
  }

  @Override
  public boolean keepsCgroupsWarm() {
    return true;
  }

  @Override
  public void cycle(String name) throws IOException, InterruptedException {
    ticker.wanted();
    Path root = scratch(name);
    configure(name, root.resolve("root"), false);
    HandContainer container = HandContainer.start(sys, spawner, groups, program, containers, name);
    execTrue(container);
    container.kill();
    spawner.call(
        () -> {
          mounts.unmountLazily(root.resolve("root"));
          mounts.unmountLazily(root);
          return root;
        });
    Files.delete(root);
    LxcFiles.delete(containers.resolve(name));
  }

  private Path scratch(String name) throws IOException {
    Path root = Files.createDirectory(roots.resolve(name));
    return spawner.call(
        () -> {
          mounts.tmpfs(root, SCRATCH_BYTES, 0755, Set.of());
          Path upper = Files.createDirectory(root.resolve("upper"));
          int id = Math.toIntExact(Limit.FIRST_ID);
          Files.setAttribute(upper, "unix:uid", id);
          Files.setAttribute(upper, "unix:gid", id);
          Path work = Files.createDirectory(root.resolve("work"));
          Path shown = Files.createDirectory(root.resolve("root"));
          mounts.overlay(List.of(lower), upper, work, shown, Set.of(), "");
          return root;
        });
  }

  private void configure(String name, Path root, boolean mapped) throws IOException {
    Path directory = Files.createDirectory(containers.resolve(name));
    Path log = directory.resolve("log");
    String config = LxcFiles.config(name, root, mapped, log, OWN_STREAMS);
    Files.writeString(directory.resolve("config"), config);
  }

  private static void execTrue(HandContainer container) throws IOException, InterruptedException {
    String code = container.execute("/bin/true");
    if (!code.equals("0")) {
      throw new IOException("exec: \"" + code + "\"");
    }
  }

  @Override
  public Container create(String name) throws IOException, InterruptedException {
    return make(name, pool.image());
  }

  private Box make(String name, Path source) throws IOException, InterruptedException {
    Box box = new Box(name);
    pool.snapshot(source, box.root(), false);
    configure(name, box.root(), true);
    return box;
  }

  @Override
  public void close() throws InterruptedException {
    try (spawner) {
      ticker.close();
    }
  }

  private final class Box extends SubvolumeContainer {
    private final String name;
    private final AtomicReference<@Nullable HandContainer> running = new AtomicReference<>();

    Box(String name) {
      super(pool, name);
      this.name = name;
    }

    @Override
    boolean runs() {
      return running.get() != null;
    }

    @Override
    public void start() throws IOException, InterruptedException {
      ticker.wanted();
      running.set(HandContainer.start(sys, spawner, groups, program, containers, name));
    }

    @Override
    public void execTrue() throws IOException, InterruptedException {
      HandContainer container = running.get();
      if (container == null) {
        throw new IOException(name + " does not run");
      }
      ByHand.execTrue(container);
    }

    @Override
    public void stop() throws IOException, InterruptedException {
      HandContainer container = running.getAndSet(null);
      if (container != null) {
        container.kill();
      }
    }

    @Override
    public void delete() throws IOException, InterruptedException {
      stop();
      deleteSubvolumes();
      LxcFiles.delete(containers.resolve(name));
    }

    @Override
    public Container copyTo(String copy) throws IOException, InterruptedException {
      return make(copy, root());
    }
  }
}
