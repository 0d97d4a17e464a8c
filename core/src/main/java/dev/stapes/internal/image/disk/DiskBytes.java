package dev.stapes.internal.image.disk;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The bytes of a file of unknown origin: whatever is read beyond its end is an error. */
final class DiskBytes implements AutoCloseable {
  private final byte[] start;
  private final @Nullable RandomAccessFile file; // not a channel: an interrupt would close it
  private final long size;
  private final String subject;

  private DiskBytes(byte[] start, @Nullable RandomAccessFile file, long size, String subject) {
    this.start = start;
    this.file = file;
    this.size = size;
    this.subject = subject;
  }

  static DiskBytes open(Path path, String subject) {
    try {
      RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
      return new DiskBytes(new byte[0], file, file.length(), subject);
    } catch (IOException e) {
      throw unreadable(subject, e);
    }
  }

  static DiskBytes of(byte[] start, String subject) {
    return new DiskBytes(start, null, start.length, subject);
  }

  /** What errors are about. */
  String subject() {
    return subject;
  }

  long size() {
    return size;
  }

  /** Big-endian, unless the caller says otherwise. */
  ByteBuffer at(long offset, int length) {
    if (offset < 0 || offset > size - length) {
      throw wrong("ends early: after " + size + " bytes");
    }
    if (file == null) {
      return ByteBuffer.wrap(start, (int) offset, length).slice();
    }
    try {
      byte[] bytes = new byte[length];
      file.seek(offset);
      file.readFully(bytes);
      return ByteBuffer.wrap(bytes);
    } catch (IOException e) {
      throw unreadable(subject, e);
    }
  }

  /** Whether there are these bytes; false beyond the end. */
  boolean has(long offset, byte[] expected) {
    return offset >= 0
        && offset <= size - expected.length
        && at(offset, expected.length).equals(ByteBuffer.wrap(expected));
  }

  StapesException wrong(String problem) {
    return StapesException.invalid(subject, problem);
  }

  private static StapesException unreadable(String subject, IOException e) {
    return new StapesException(
        StapesException.Kind.INTERNAL, subject, "cannot be read: " + e.getMessage(), e);
  }

  @Override
  public void close() {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        throw unreadable(subject, e);
      }
    }
  }
}
