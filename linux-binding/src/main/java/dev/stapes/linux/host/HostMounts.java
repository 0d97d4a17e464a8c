package dev.stapes.linux.host;

import dev.stapes.linux.AbandonedMounts;
import dev.stapes.linux.Fd;
import dev.stapes.linux.IdRange;
import dev.stapes.linux.MountFlag;
import dev.stapes.linux.MountNamespace;
import dev.stapes.linux.MountTable;
import dev.stapes.linux.MountsApart;
import dev.stapes.linux.MountsInside;
import dev.stapes.linux.Spawner;
import dev.stapes.linux.UserNamespace;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Mounts;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Mounts on the spawner's thread, which has the mount namespace. */
final class HostMounts implements Mounts, AutoCloseable {
  private static final int CACHED = 64;

  private final Syscalls sys;
  private final Spawner spawner;
  private final MountNamespace namespace;
  private final boolean hasNamespace;

  /** One descriptor each; the eldest goes when there are too many: mounts keep their own maps. */
  private final Map<IdMapping, UserNamespace> users = new LinkedHashMap<>(16, 0.75f, true);

  HostMounts(Syscalls sys, Spawner spawner, boolean hasNamespace) {
    this.sys = sys;
    this.spawner = spawner;
    this.namespace = new MountNamespace(sys);
    this.hasNamespace = hasNamespace;
  }

  @Override
  public void mount(String source, Path target, String type, Set<Flag> flags, String options) {
    onThread(
        type + " at " + target, () -> namespace.mount(source, target, type, flags(flags), options));
  }

  @Override
  public void mountApart(String source, Path target, String type, Set<Flag> flags, String options) {
    try {
      new MountsApart(sys)
          .run(spawner.tid(), () -> namespace.mount(source, target, type, flags(flags), options));
    } catch (LinuxException e) {
      throw Failures.of(e, type + " at " + target);
    }
  }

  @Override
  public void bind(Path source, Path target, Set<Flag> flags) {
    Set<MountFlag> kernels = flags(flags);
    boolean recursive = flags.contains(Flag.RECURSIVE);
    onThread(
        source + " at " + target,
        () -> {
          if (recursive) {
            namespace.bindRecursively(source, target, kernels);
          } else {
            namespace.bind(source, target, kernels);
          }
        });
  }

  @Override
  public void bindBelow(Path source, String below, Path target, Set<Flag> flags) {
    Set<MountFlag> kernels = flags(flags);
    onThread(
        source + "/" + below + " at " + target,
        () -> namespace.bindBelow(source, below, target, kernels));
  }

  @Override
  public void bindIdmapped(Path source, Path target, IdMapping mapping, Set<Flag> flags) {
    Set<MountFlag> kernels = flags(flags);
    boolean recursive = flags.contains(Flag.RECURSIVE);
    synchronized (users) { // so that the namespace is not closed while it is used
      UserNamespace map = Failures.translated(() -> users(mapping));
      onThread(
          source + " idmapped at " + target,
          () -> {
            if (recursive) {
              namespace.bindIdmappedRecursively(source, target, map, kernels);
            } else {
              namespace.bindIdmapped(source, target, map, kernels);
            }
          });
    }
  }

  @Override
  public void changeRoot(RootChange change) {
    String subject = "root of process " + change.pid();
    try (Fd tree = tree(change.root(), change.mapping())) {
      new dev.stapes.linux.RootChange(sys)
          .run(tree, change.pid(), change.carried(), change.hostName());
    } catch (LinuxException e) {
      throw Failures.of(e, subject);
    }
  }

  @Override
  public void mountInside(InsideMount mount, BooleanSupplier alive) {
    boolean recursive = mount.flags().contains(Flag.RECURSIVE);
    MountsInside inside = new MountsInside(sys);
    try (Fd tree = tree(mount.source(), mount.mapping(), recursive)) {
      if (mount.flags().contains(Flag.READ_ONLY)) {
        inside.setReadOnly(tree, recursive);
      }
      inside.attach(tree, mount.pid(), mount.path(), alive);
    } catch (LinuxException e) {
      throw Failures.of(e, mount.source() + " at " + mount.path());
    }
  }

  @Override
  public boolean unmountInside(long pid, String path, BooleanSupplier alive) {
    try {
      return new MountsInside(sys).detach(pid, path, alive);
    } catch (LinuxException e) {
      throw Failures.of(e, path);
    }
  }

  private Fd tree(Path root, Optional<IdMapping> mapping) {
    return tree(root, mapping, false);
  }

  private Fd tree(Path root, Optional<IdMapping> mapping, boolean recursive) {
    if (mapping.isEmpty()) {
      return spawner.call(
          () -> recursive ? namespace.cloneTreeRecursively(root) : namespace.cloneTree(root));
    }
    synchronized (users) { // so that the namespace is not closed while it is used
      UserNamespace map = users(mapping.get());
      return spawner.call(() -> namespace.cloneTree(root, map, Set.of(), recursive));
    }
  }

  private UserNamespace users(IdMapping mapping) {
    UserNamespace cached = users.get(mapping);
    if (cached != null) {
      return cached;
    }
    UserNamespace made =
        UserNamespace.create(sys, spawner, ranges(mapping.uids()), ranges(mapping.gids()));
    users.put(mapping, made);
    if (users.size() > CACHED) {
      users.remove(users.keySet().iterator().next()).close();
    }
    return made;
  }

  private static List<IdRange> ranges(List<IdMapping.Range> ranges) {
    return ranges.stream()
        .map(range -> new IdRange(range.inside(), range.outside(), range.count()))
        .toList();
  }

  @Override
  public void unmount(Path target) {
    onThread(target.toString(), () -> namespace.unmountLazily(target));
  }

  @Override
  public void detachAbandoned(Path target, String type, String source) {
    requireAbsolute(target);
    Failures.translating(() -> new AbandonedMounts(sys).detach(target, type, source));
  }

  @Override
  public List<Entry> below(Path path) {
    requireAbsolute(path);
    return MountTable.ofThread(spawner.tid()).below(path.normalize()).stream()
        .map(HostMounts::entry)
        .toList();
  }

  private static Entry entry(MountTable.Mount mount) {
    Set<String> options = new TreeSet<>(mount.options());
    options.addAll(mount.superOptions());
    return new Entry(
        Path.of(mount.mountPoint()), mount.type(), mount.source(), String.join(",", options));
  }

  @Override
  public Path local(Path path) {
    requireAbsolute(path);
    return hasNamespace ? spawner.view(path) : path;
  }

  private static void requireAbsolute(Path path) {
    if (!path.isAbsolute()) {
      throw StapesException.invalid(path.toString(), "not an absolute path");
    }
  }

  private static Set<MountFlag> flags(Set<Flag> flags) {
    Function<Flag, MountFlag> kernels =
        flag ->
            switch (flag) {
              case READ_ONLY -> MountFlag.READ_ONLY;
              case NOSUID -> MountFlag.NO_SUID;
              case NODEV -> MountFlag.NO_DEVICES;
              case NOEXEC -> MountFlag.NO_EXEC;
              case NOATIME -> MountFlag.NO_ACCESS_TIMES;
              case RECURSIVE -> throw new IllegalStateException("says what to mount, is no flag");
            };
    Set<MountFlag> set = EnumSet.noneOf(MountFlag.class);
    flags.stream().filter(flag -> flag != Flag.RECURSIVE).map(kernels).forEach(set::add);
    return set;
  }

  private void onThread(String subject, Runnable call) {
    try {
      spawner.<Boolean, RuntimeException>call(
          () -> {
            call.run();
            return true;
          });
    } catch (LinuxException e) {
      throw Failures.of(e, subject);
    }
  }

  @Override
  public void close() {
    synchronized (users) {
      users.values().forEach(UserNamespace::close);
      users.clear();
    }
  }
}
