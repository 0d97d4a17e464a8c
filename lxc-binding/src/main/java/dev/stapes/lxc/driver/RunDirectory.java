package dev.stapes.lxc.driver;

import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the containers of a scope have their files. A container's name says nothing of its
 * instance: it may have been prepared before somebody wanted one. A symbolic link, {@code
 * instance-ID}, leads from an instance to its container's directory. Those of throwaway instances
 * need none: they are in memory, on a file system that is gone with the JVM.
 */
final class RunDirectory implements AutoCloseable {
  private static final String PREFIX = "stapes-";
  private static final String LINK = "instance-";
  private static final int NAME_BITS = 50;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Host host;
  private final Scope scope;
  private final Path memory;
  private boolean mounted;

  RunDirectory(Host host, Scope scope) {
    this.host = host;
    this.scope = scope;
    this.memory = scope.runDirectory().resolve("memory");
    prepareLocks(scope.runDirectory());
  }

  private static void prepareLocks(Path lxcPath) {
    try {
      LockFiles.prepare(lxcPath);
    } catch (IOException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "lxc driver", "there is no place for liblxc's locks: " + e, e);
    }
  }

  /** What the names of all containers of a scope start with. */
  static String prefix(Scope scope) {
    return PREFIX + scope.tag() + "-";
  }

  /** A container with a name that nobody has. Nothing is made but the place for it. */
  RunFiles fresh(Lifetime lifetime) {
    String name = prefix(scope) + new BigInteger(NAME_BITS, RANDOM).toString(Character.MAX_RADIX);
    if (lifetime != Lifetime.THROWAWAY) {
      return named(name);
    }
    mount();
    return new RunFiles(name, memory.resolve(name), host.mounts().local(memory).resolve(name));
  }

  private synchronized void mount() {
    if (mounted) {
      return;
    }
    try {
      Files.createDirectories(memory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    host.mounts()
        .mount(
            "stapes-run",
            memory,
            "tmpfs",
            Set.of(Mounts.Flag.NOSUID, Mounts.Flag.NODEV),
            "mode=0711");
    mounted = true;
    prepareLocks(memory);
  }

  /** That of a container that is not in memory. */
  RunFiles named(String name) {
    Path directory = scope.runDirectory().resolve(name);
    return new RunFiles(name, directory, directory);
  }

  /** The container of an instance; empty where it has none. */
  Optional<RunFiles> of(InstanceId id) {
    try {
      return Optional.of(named(Files.readSymbolicLink(link(id)).toString()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Says whose a container is. */
  void assign(InstanceId id, RunFiles files) throws IOException {
    Files.deleteIfExists(link(id));
    Files.createSymbolicLink(link(id), Path.of(files.name()));
  }

  /** Nobody's any more, with what is left of its files. */
  void release(InstanceId id) {
    try {
      Files.deleteIfExists(link(id));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names of all containers that have files here, but those in memory. */
  Set<String> names() {
    Set<String> names = new HashSet<>();
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(scope.runDirectory(), prefix(scope) + "*")) {
      all.forEach(path -> names.add(path.getFileName().toString()));
      return names;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /** The names of the containers of all instances that have one. */
  Map<InstanceId, String> assigned() {
    Map<InstanceId, String> names = new HashMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(scope.runDirectory(), LINK + "*")) {
      for (Path link : all) {
        String id = link.getFileName().toString().substring(LINK.length());
        if (id.matches("[a-z0-9]{4,32}") && Files.isSymbolicLink(link)) {
          names.put(new InstanceId(id), Files.readSymbolicLink(link).toString());
        }
      }
      return names;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private Path link(InstanceId id) {
    return scope.runDirectory().resolve(LINK + id.value());
  }

  private static StapesException unreadable(IOException e) {
    return new StapesException(
        Kind.INTERNAL, "lxc driver", "its run directory cannot be read: " + e, e);
  }

  /** Takes the file system in memory away, and liblxc's lock files. */
  @Override
  public synchronized void close() {
    try {
      if (mounted) {
        mounted = false;
        host.mounts().unmount(memory);
      }
      Files.deleteIfExists(memory);
      LockFiles.remove(memory);
      LockFiles.remove(scope.runDirectory());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
