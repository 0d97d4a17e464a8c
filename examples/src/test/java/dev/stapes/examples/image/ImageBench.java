package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.linux.host.LzmaDecoderProvider;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.fs.BtrfsProvider;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The image store over this machine and a Btrfs pool, in a directory of its own. */
final class ImageBench implements AutoCloseable {
  private static final Decoders DECODERS = new Decoders(List.of(new LzmaDecoderProvider()));
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final Path root;
  private final Host host;
  private final StateStore state = new MemoryStateStore();
  private final StoragePool pool;
  private final ImageStore store;

  ImageBench() throws IOException {
    root =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("images-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    Files.createDirectories(root);
    host = new LinuxHostProvider().open();
    Path directory = Files.createDirectory(root.resolve("pool"));
    pool =
        new BtrfsProvider()
            .create(host, PoolSpec.of("pool", "btrfs").size(Size.ofGibibytes(2)), directory);
    store = ImageStore.open(root, state, host, DECODERS, Clock.systemUTC());
  }

  Path root() {
    return root;
  }

  Host host() {
    return host;
  }

  StoragePool pool() {
    return pool;
  }

  ImageStore store() {
    return store;
  }

  ImageInfo bring(ImageSource source) {
    return store.importFrom(source, List.of(), Progress.NONE).image();
  }

  /** The volume of an image, unpacked. */
  VolumeId unpacked(ImageInfo image) {
    return store.unpackInto("pool", pool, image.fingerprint(), Progress.NONE);
  }

  Tree files(VolumeId volume) {
    return pool.tree(volume, Tree.Resolution.BENEATH);
  }

  String run(String... arguments) {
    return host.programs().run(Command.of(arguments)).stdout();
  }

  /** Everything in a tree, as lines that two equal trees have in common. */
  static List<String> describe(Tree tree) {
    List<String> lines = new ArrayList<>();
    describe(tree, "/", lines, new TreeMap<>());
    return lines;
  }

  private static void describe(
      Tree tree, String path, List<String> lines, Map<Long, String> firsts) {
    Tree.Stat stat = tree.stat(path).orElseThrow();
    StringBuilder line = new StringBuilder(path + " " + stat.type());
    line.append(String.format(Locale.ROOT, " %o %d:%d ", stat.mode(), stat.uid(), stat.gid()));
    line.append(stat.modifiedAt());
    tree.xattrs(path)
        .forEach(
            (name, value) ->
                line.append(' ').append(name).append('=').append(HexFormat.of().formatHex(value)));
    switch (stat.type()) {
      case FILE -> {
        line.append(' ').append(stat.size()).append(' ').append(digest(tree, path));
        line.append(" = ").append(firsts.computeIfAbsent(stat.inode(), inode -> path));
      }
      case SYMLINK -> line.append(" -> ").append(tree.readlink(path));
      default -> {}
    }
    lines.add(line.toString());
    if (stat.type() == Tree.Type.DIRECTORY) {
      for (String name : tree.list(path)) {
        describe(tree, path.equals("/") ? name : path + "/" + name, lines, firsts);
      }
    }
  }

  private static String digest(Tree tree, String path) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(tree.read(path), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException | NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    pool.destroy();
    try (Tree parent = host.tree(root.getParent(), Tree.Resolution.BENEATH)) {
      parent.removeAll(root.getFileName().toString());
    }
    state.close();
    host.close();
    assertEquals(Set.of(), HostLeftovers.of(root), "left on the machine");
  }
}
