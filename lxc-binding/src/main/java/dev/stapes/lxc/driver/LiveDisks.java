package dev.stapes.lxc.driver;

import dev.stapes.linux.MountTable;
import dev.stapes.model.Device;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Directories that come into a running container, and go: mounts in its namespace. What is mounted
 * is looked up there each time, so that a change that was cut short can be undone by another JVM.
 */
final class LiveDisks {
  private static final int MODE = 0755;

  private final Host host;
  private final HeldProcess init;
  private final Optional<IdMapping> mapping;
  private final String subject;

  LiveDisks(Host host, HeldProcess init, Optional<IdMapping> mapping, String subject) {
    this.host = host;
    this.init = init;
    this.mapping = mapping;
    this.subject = subject;
  }

  /** Whether a device is one that can come and go: what is mounted below another one keeps it. */
  static boolean isOne(Device device) {
    return device instanceof Device.Disk disk && !disk.recursive();
  }

  /** Makes the disks of one spec those of another one; where one fails, all are as before. */
  void change(Machine.Spec before, Machine.Spec after) {
    TreeSet<String> names = new TreeSet<>(before.devices().keySet());
    names.addAll(after.devices().keySet());
    Deque<Runnable> undo = new ArrayDeque<>();
    try {
      for (String name : names) {
        change(name, before, after, undo);
      }
    } catch (RuntimeException e) {
      for (Runnable step : undo) {
        try {
          step.run();
        } catch (RuntimeException next) {
          e.addSuppressed(next);
        }
      }
      throw e;
    }
  }

  private void change(String name, Machine.Spec before, Machine.Spec after, Deque<Runnable> undo) {
    Device.@Nullable Disk was = disk(before, name);
    Device.@Nullable Disk is = disk(after, name);
    if (was != null && is != null && isSame(was, is)) {
      return;
    }
    if (was != null && unmount(name, was)) {
      undo.push(() -> mount(name, was, before));
    }
    if (is != null && mount(name, is, after)) {
      undo.push(() -> unmount(name, is));
    }
  }

  /**
   * Makes the disks those of one spec, after a change to another one was cut short: what is mounted
   * already where it is wanted stays, whoever uses it.
   */
  void settle(Machine.Spec attempted, Machine.Spec wanted) {
    TreeSet<String> names = new TreeSet<>(attempted.devices().keySet());
    names.addAll(wanted.devices().keySet());
    for (String name : names) {
      Device.@Nullable Disk tried = disk(attempted, name);
      Device.@Nullable Disk is = disk(wanted, name);
      boolean same = tried != null && is != null && isSame(tried, is);
      if (tried != null && !same) {
        unmount(name, tried);
      }
      if (is != null && !same && !isMounted(is)) {
        mount(name, is, wanted);
      }
    }
  }

  private boolean isMounted(Device.Disk disk) {
    return MountTable.ofProcess((int) init.pid()).at(Path.of(disk.path())).isPresent();
  }

  /** The attempted spec with the disks that are there by now. */
  static Machine.Spec settled(Machine.Spec attempted, Machine.Spec wanted) {
    TreeMap<String, Machine.Disk> disks = new TreeMap<>(wanted.disks());
    disks.replaceAll((name, disk) -> attempted.disks().getOrDefault(name, disk));
    return new Machine.Spec(
        attempted.id(),
        attempted.name(),
        attempted.lifetime(),
        attempted.config(),
        wanted.devices(),
        attempted.root(),
        disks);
  }

  private static Device.@Nullable Disk disk(Machine.Spec spec, String name) {
    return spec.devices().get(name) instanceof Device.Disk disk ? disk : null;
  }

  private static boolean isSame(Device.Disk a, Device.Disk b) {
    return a.path().equals(b.path())
        && a.source().equals(b.source())
        && a.pool().equals(b.pool())
        && a.readOnly() == b.readOnly()
        && a.recursive() == b.recursive();
  }

  /** False where there is nothing to mount: nobody attached it. */
  private boolean mount(String name, Device.Disk disk, Machine.Spec spec) {
    Machine.Disk attached = spec.disks().get(name);
    if (attached == null) {
      return false;
    }
    Path source = attached.path();
    if (!Files.isDirectory(host.mounts().local(source))) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "device "
              + name
              + ": only directories come into a running container: \""
              + source
              + "\"");
    }
    Set<Mounts.Flag> flags = EnumSet.noneOf(Mounts.Flag.class);
    if (disk.readOnly()) {
      flags.add(Mounts.Flag.READ_ONLY);
    }
    if (disk.recursive()) {
      flags.add(Mounts.Flag.RECURSIVE);
    }
    makePlace(name, disk.path());
    Optional<IdMapping> toMap = attached.mapped().isPresent() ? Optional.empty() : mapping;
    host.mounts()
        .mountInside(
            new Mounts.InsideMount(init.pid(), source, disk.path(), toMap, flags), init::isAlive);
    return true;
  }

  /** Makes the directories that are missing; those of the container lead nowhere else. */
  private void makePlace(String name, String path) {
    try (Tree files =
        host.tree(Path.of("/proc/" + init.pid() + "/root"), Tree.Resolution.IN_ROOT, mapping)) {
      if (!init.isAlive()) {
        throw new StapesException(Kind.UNAVAILABLE, subject, "it has ended");
      }
      for (int slash = path.indexOf('/', 1); ; slash = path.indexOf('/', slash + 1)) {
        String directory = slash < 0 ? path : path.substring(0, slash);
        Optional<Tree.Stat> found = files.stat(directory);
        if (found.isEmpty()) {
          files.mkdir(directory, MODE);
        } else if (found.get().type() != Tree.Type.DIRECTORY) {
          throw StapesException.invalid(
              subject, "device " + name + ": \"" + directory + "\" is no directory in it");
        }
        if (slash < 0) {
          return;
        }
      }
    }
  }

  /** False where its place has no mount any more: who is root in a container can remove it. */
  private boolean unmount(String name, Device.Disk disk) {
    try {
      return host.mounts().unmountInside(init.pid(), disk.path(), init::isAlive);
    } catch (StapesException e) {
      if (e.kind() == Kind.BUSY) {
        throw new StapesException(
            Kind.BUSY,
            subject,
            "device " + name + ": programs of the instance use \"" + disk.path() + "\"",
            e);
      }
      throw e;
    }
  }
}
