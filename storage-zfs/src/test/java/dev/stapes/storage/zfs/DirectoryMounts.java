package dev.stapes.storage.zfs;

import dev.stapes.spi.Host;
import dev.stapes.spi.Mounts;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Mounts that are no more than the directories that they are made on. */
final class DirectoryMounts {
  private final List<Path> mounted = new ArrayList<>();
  private final Runnable unmounting;
  private Runnable mounting = () -> {};

  /**
   * None yet.
   *
   * @param unmounting done before each is unmounted
   */
  DirectoryMounts(Runnable unmounting) {
    this.unmounting = unmounting;
  }

  /** Has something done before each is mounted, by the thread that mounts it. */
  void before(Runnable work) {
    mounting = work;
  }

  /** A host with them, and all else of another one. */
  Host on(Host host) {
    ClassLoader loader = DirectoryMounts.class.getClassLoader();
    Object mounts =
        Proxy.newProxyInstance(
            loader,
            new Class<?>[] {Mounts.class},
            (proxy, method, given) -> answer(method.getName(), given));
    Object wrapped =
        Proxy.newProxyInstance(
            loader,
            new Class<?>[] {Host.class},
            (proxy, method, given) -> {
              try {
                return method.getName().equals("mounts") ? mounts : method.invoke(host, given);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return (Host) wrapped;
  }

  private @Nullable Object answer(String call, Object[] given) throws IOException {
    switch (call) {
      case "local" -> {
        return given[0];
      }
      case "mount" -> add((Path) given[1]);
      case "mountApart" -> {
        mounting.run();
        add((Path) given[1]);
      }
      case "bind" -> add((Path) given[1]);
      case "unmount" -> {
        unmounting.run();
        remove((Path) given[0]);
      }
      default -> {}
    }
    return null;
  }

  private synchronized void add(Path path) {
    mounted.add(path);
  }

  /** What is in it is not there where nothing is mounted. */
  private synchronized void remove(Path path) throws IOException {
    mounted.removeIf(each -> each.startsWith(path));
    try (Stream<Path> below = Files.walk(path)) {
      for (Path each : below.sorted(Comparator.reverseOrder()).toList()) {
        if (!each.equals(path)) {
          Files.delete(each);
        }
      }
    }
  }

  /** How many there are, without the directory that all of them hang on. */
  synchronized long count() {
    return mounted.stream().filter(path -> !path.endsWith("mnt")).count();
  }
}
