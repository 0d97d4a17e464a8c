package dev.stapes.internal.image.oci;

import dev.stapes.internal.image.DiskError;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Those of a directory. Links in it may lead anywhere in it, but not outside. */
final class DirectoryFiles implements LocalFiles {
  private static final int CHUNK = 256 << 10;

  private final Tree tree;
  private final Progress progress;
  private final String subject;

  /**
   * Takes the tree over.
   *
   * @param tree resolved BENEATH
   */
  DirectoryFiles(Tree tree, Progress progress, String subject) {
    this.tree = tree;
    this.progress = progress;
    this.subject = subject;
  }

  @Override
  public Optional<String> find(String name) {
    return told(() -> tree.stat(name)).map(there -> name);
  }

  @Override
  public byte[] read(String found, int most) {
    byte[] all = begin(found, most + 1);
    if (all.length > most) {
      throw StapesException.invalid(
          subject, found + " has more than the allowed " + most + " bytes");
    }
    return all;
  }

  @Override
  public byte[] start(String found) {
    return begin(found, START);
  }

  private byte[] begin(String name, int most) {
    try (InputStream in = told(() -> tree.read(name))) {
      return in.readNBytes(most);
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be read", e);
    }
  }

  @Override
  public Map<String, Copied> copy(Map<String, Wanted> wanted) {
    Map<String, Copied> copied = new HashMap<>();
    long total = wanted.keySet().stream().mapToLong(this::size).sum();
    long done = 0;
    for (Map.Entry<String, Wanted> each : wanted.entrySet()) {
      Copied copy = copy(each.getKey(), each.getValue(), done, total);
      done += copy.size();
      copied.put(each.getKey(), copy);
    }
    return copied;
  }

  /** Of a link that of its text: for progress. */
  private long size(String name) {
    return told(() -> tree.stat(name)).map(Tree.Stat::size).orElse(0L);
  }

  private Copied copy(String name, Wanted wanted, long before, long total) {
    try (InputStream in = told(() -> tree.read(name));
        MeasuredFile out = new MeasuredFile(wanted, name, subject)) {
      byte[] chunk = new byte[CHUNK];
      long done = before;
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        out.write(chunk, 0, count);
        done += count;
        progress.update("copy", done, total);
      }
      return out.copied();
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be copied", e);
    }
  }

  /** A file that is missing or lies outside is no fault of the caller but of the directory. */
  private <T> T told(Supplier<T> reading) {
    try {
      return reading.get();
    } catch (StapesException e) {
      Kind kind = e.kind() == Kind.NOT_FOUND ? Kind.INVALID : e.kind();
      throw new StapesException(kind, subject, String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void close() {
    tree.close();
  }
}
