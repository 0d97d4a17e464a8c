package dev.stapes.testkit.contract;

import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Everything there is to see in a tree, as text that can be compared. Never instantiated. */
final class TreePicture {
  private TreePicture() {}

  /** Each path with its type, mode, owner, time, content and attributes; names of one inode. */
  static SortedMap<String, String> of(Tree tree) {
    SortedMap<String, String> picture = new TreeMap<>();
    Map<Long, String> names = new HashMap<>();
    Tree.Stat root = tree.stat("/").orElseThrow();
    picture.put("/", describe(root));
    below(tree, "", picture, names);
    return picture;
  }

  private static void below(
      Tree tree, String directory, SortedMap<String, String> picture, Map<Long, String> names) {
    for (String name : tree.list(directory.isEmpty() ? "/" : directory)) {
      String path = directory + "/" + name;
      Tree.Stat stat = tree.stat(path).orElseThrow();
      StringBuilder text = new StringBuilder(describe(stat));
      text.append(' ').append(stat.modifiedAt());
      String twin = names.putIfAbsent(stat.inode(), path);
      if (stat.type() != Tree.Type.DIRECTORY && twin != null) {
        text.append(" same as ").append(twin);
      }
      switch (stat.type()) {
        case FILE -> text.append(' ').append(stat.size()).append(' ').append(hash(tree, path));
        case SYMLINK -> text.append(" -> ").append(tree.readlink(path));
        case CHARACTER_DEVICE, BLOCK_DEVICE ->
            text.append(' ').append(stat.deviceMajor()).append(':').append(stat.deviceMinor());
        default -> {}
      }
      new TreeMap<>(tree.xattrs(path))
          .forEach(
              (key, value) ->
                  text.append(' ').append(key).append('=').append(HexFormat.of().formatHex(value)));
      picture.put(path, text.toString());
      if (stat.type() == Tree.Type.DIRECTORY) {
        below(tree, path, picture, names);
      }
    }
  }

  private static String describe(Tree.Stat stat) {
    return stat.type()
        + " "
        + Integer.toOctalString(stat.mode())
        + " "
        + stat.uid()
        + ":"
        + stat.gid();
  }

  private static String hash(Tree tree, String path) {
    try (InputStream in = tree.read(path)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[65536];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** One of everything that a root file system may hold. */
  static void fill(Tree tree) {
    tree.mkdir("etc", 0755);
    tree.mkdir("etc/empty", 0700);
    tree.mkdir("tmp", 01777);
    tree.mkdir("home", 0755);
    write(tree, "etc/hostname", "box\n");
    write(tree, "etc/empty-file", "");
    write(tree, "etc/grüße, mit Leerzeichen", "öäü");
    write(tree, "etc/shadow", "root:*\n");
    tree.chown("etc/shadow", 0, 42);
    tree.chmod("etc/shadow", 0640);
    write(tree, "tool", "#!/bin/sh\n");
    tree.chown("tool", 1000, 1001);
    tree.chmod("tool", 06755);
    tree.chown("home", 100_000, 200_000);
    tree.symlink("etc/hostname", "relative");
    tree.symlink("/etc/hostname", "absolute");
    tree.symlink("nowhere/at/all", "dangling");
    tree.chown("dangling", 1000, 1000);
    tree.hardlink("etc/hostname", "etc/hostname-too");
    tree.mkfifo("etc/fifo", 0620);
    tree.mknod("etc/null", Tree.Type.CHARACTER_DEVICE, 0666, 1, 3);
    tree.mknod("etc/disk", Tree.Type.BLOCK_DEVICE, 0660, 7, 99);
    tree.setXattr("etc/hostname", "user.note", "kept".getBytes(StandardCharsets.UTF_8));
    tree.setXattr("tool", "security.capability", netBindService());
    big(tree, "big", 3);
    tree.setModified("etc/hostname", Instant.parse("2001-02-03T04:05:06.789012345Z"));
    tree.setModified("absolute", Instant.parse("2002-02-03T04:05:06Z"));
    tree.setModified("etc", Instant.parse("2003-02-03T04:05:06.5Z"));
  }

  static void write(Tree tree, String path, String text) {
    try (OutputStream out = tree.write(path, 0644)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes so many MiB of bytes that do not compress. */
  static void big(Tree tree, String path, int mebibytes) {
    java.util.SplittableRandom random = new java.util.SplittableRandom(mebibytes);
    byte[] block = new byte[1 << 20];
    try (OutputStream out = tree.write(path, 0644)) {
      for (int i = 0; i < mebibytes; i++) {
        random.nextBytes(block);
        out.write(block);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of a file; null where it does not exist. */
  static @Nullable String text(Tree tree, String path) {
    if (tree.stat(path).isEmpty()) {
      return null;
    }
    try (InputStream in = tree.read(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The kernel's format, revision 2, of CAP_NET_BIND_SERVICE, permitted and effective. */
  private static byte[] netBindService() {
    ByteBuffer capability = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    capability.putInt(0x0200_0001).putInt(1 << 10);
    return capability.array();
  }
}
