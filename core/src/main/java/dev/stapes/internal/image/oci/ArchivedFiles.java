package dev.stapes.internal.image.oci;

import dev.stapes.internal.image.DiskError;
import dev.stapes.internal.image.TarFiles;
import dev.stapes.internal.image.TarFiles.Entry;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Those of a tar archive, plain or compressed. It is read from its begin to its end to see what is
 * there, which keeps what looks like a document; then once more for what is copied.
 */
final class ArchivedFiles implements LocalFiles {
  private static final int MOST_LINKS = 8;
  private static final int DOCUMENT_BYTES = 4 << 20;
  private static final long KEPT_BYTES = 64 << 20;

  private final Path archive;
  private final Progress progress;
  private final String subject;
  private final Map<String, Seen> files = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();
  private final Map<String, byte[]> documents = new HashMap<>();
  private long kept;

  private record Seen(long size, byte[] start) {}

  private ArchivedFiles(Path archive, Progress progress, String subject) {
    this.archive = archive;
    this.progress = progress;
    this.subject = subject;
  }

  /** Looks through an archive. */
  static ArchivedFiles open(Path archive, Progress progress, String subject) {
    ArchivedFiles opened = new ArchivedFiles(archive, progress, subject);
    try (TarFiles tar = TarFiles.open(archive, progress, "read")) {
      for (Optional<Entry> next = tar.next(); next.isPresent(); next = tar.next()) {
        opened.see(next.get(), tar);
      }
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be read", e);
    }
    return opened;
  }

  private void see(Entry entry, TarFiles tar) throws IOException {
    String name = entry.name();
    if (files.containsKey(name) || links.containsKey(name)) {
      throw StapesException.invalid(subject, "has " + name + " twice");
    }
    if (entry.target().isPresent()) {
      links.put(name, entry.target().get());
      return;
    }
    byte[] start = tar.start(entry, START);
    files.put(name, new Seen(entry.size(), start));
    boolean document = start.length > 0 && (start[0] == '{' || start[0] == '[');
    if (document && entry.size() <= DOCUMENT_BYTES && kept + entry.size() <= KEPT_BYTES) {
      documents.put(name, all(entry, start, tar));
      kept += entry.size();
    }
  }

  private static byte[] all(Entry entry, byte[] start, TarFiles tar) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream((int) entry.size());
    all.write(start);
    tar.copy(entry, all);
    return all.toByteArray();
  }

  @Override
  public Optional<String> find(String name) {
    String found = name;
    for (int steps = 0; !files.containsKey(found); steps++) {
      String target = links.get(found);
      if (target == null || steps == MOST_LINKS) {
        return Optional.empty();
      }
      found = target;
    }
    return Optional.of(found);
  }

  private Seen seen(String found) {
    Seen seen = files.get(found);
    if (seen == null) {
      throw StapesException.invalid(subject, "has no " + found);
    }
    return seen;
  }

  @Override
  public byte[] read(String found, int most) {
    if (seen(found).size() > most) {
      throw StapesException.invalid(
          subject, found + " has more than the allowed " + most + " bytes");
    }
    byte[] known = documents.get(found);
    if (known != null) {
      return known.clone();
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    pass(Set.of(found), (entry, tar) -> tar.copy(entry, all));
    return all.toByteArray();
  }

  @Override
  public byte[] start(String found) {
    return seen(found).start().clone();
  }

  @Override
  public Map<String, Copied> copy(Map<String, Wanted> wanted) {
    Map<String, Copied> copied = new HashMap<>();
    pass(
        wanted.keySet(),
        (entry, tar) -> {
          Wanted each = Objects.requireNonNull(wanted.get(entry.name()));
          try (MeasuredFile out = new MeasuredFile(each, entry.name(), subject)) {
            tar.copy(entry, out);
            copied.put(entry.name(), out.copied());
          }
        });
    return copied;
  }

  /** Takes a file where it comes. */
  private interface Taking {
    void take(Entry entry, TarFiles tar) throws IOException;
  }

  private void pass(Set<String> names, Taking taking) {
    Set<String> left = new HashSet<>(names);
    try (TarFiles tar = TarFiles.open(archive, progress, "copy")) {
      while (!left.isEmpty()) {
        Optional<Entry> next = tar.next();
        if (next.isEmpty()) {
          throw StapesException.invalid(subject, "has changed while it was read");
        }
        Entry entry = next.get();
        if (entry.target().isEmpty() && left.remove(entry.name())) {
          requireUnchanged(entry);
          taking.take(entry, tar);
        }
      }
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be copied", e);
    }
  }

  private void requireUnchanged(Entry entry) {
    if (entry.size() != seen(entry.name()).size()) {
      throw StapesException.invalid(subject, "has changed while it was read");
    }
  }

  @Override
  public void close() {}
}
