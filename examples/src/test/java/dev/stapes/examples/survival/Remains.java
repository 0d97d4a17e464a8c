package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.internal.store.SqliteStateStoreProvider;
import dev.stapes.spi.StateStore;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What a closed root directory without instances must not have left, on the machine or in it. */
final class Remains {
  private Remains() {}

  /** Fails where something is left. */
  static void requireNone(Path root, String message) throws IOException {
    assertEquals(Set.of(), HostLeftovers.of(root, tagOf(root)), message);
    assertEquals(Set.of(), entries(root.resolve("run/lxc")), message);
    assertEquals(Set.of(), entries(root.resolve("run/qemu")), message);
    assertEquals(Set.of(), hidden(root.resolve("pools")), message);
    assertEquals(Set.of(".blobs", ".cache"), hidden(root.resolve("images")), message);
    assertEquals(Set.of(), entries(root.resolve("images/.blobs")), message);
    assertEquals(Set.of(), entries(root.resolve("images/.cache")), message);
    try (StateStore store = new SqliteStateStoreProvider().open(root)) {
      for (String kind :
          List.of(
              "intents/",
              "instances/",
              "names/",
              "snapshots/",
              "volumes/",
              "volume-names/",
              "volume-snapshots/")) {
        assertEquals(List.of(), store.prefix(kind), message);
      }
    }
  }

  /** Names of the root directory that are global to the machine begin so. */
  static String tagOf(Path root) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(root.toString().getBytes(StandardCharsets.UTF_8));
      return "stapes-" + HexFormat.of().formatHex(hash).substring(0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Set<String> entries(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return Set.of();
    }
    try (Stream<Path> all = Files.list(directory)) {
      return new TreeSet<>(all.map(each -> each.getFileName().toString()).toList());
    }
  }

  /** Work in progress has a name with a dot before it. */
  private static Set<String> hidden(Path directory) throws IOException {
    Set<String> all = entries(directory);
    all.removeIf(name -> !name.startsWith("."));
    return all;
  }
}
