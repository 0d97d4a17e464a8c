package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import java.io.IOException;
import java.io.RandomAccessFile;

/** The bytes of a block device that is attached as long as this is open. */
final class DeviceContent implements AutoCloseable {
  private final String subject;
  private final StoragePool.Attachment attachment;
  private final RandomAccessFile device; // not a channel: an interrupt would close it
  private boolean closed;

  private DeviceContent(
      String subject, StoragePool.Attachment attachment, RandomAccessFile device) {
    this.subject = subject;
    this.attachment = attachment;
    this.device = device;
  }

  /** Opens one; where that fails it is let go of. */
  static DeviceContent open(
      String subject, StoragePool.Attachment attachment, Mounts mounts, boolean readOnly) {
    try {
      return new DeviceContent(
          subject,
          attachment,
          new RandomAccessFile(mounts.local(attachment.path()).toFile(), readOnly ? "r" : "rw"));
    } catch (IOException | RuntimeException e) {
      try (attachment) {
        throw e instanceof RuntimeException known
            ? known
            : DiskError.of(subject, "cannot be opened", (IOException) e);
      }
    }
  }

  int read(long at, byte[] into, int offset, int length) throws IOException {
    device.seek(at);
    return device.read(into, offset, length);
  }

  void write(long at, byte[] bytes, int offset, int length) {
    try {
      device.seek(at);
      device.write(bytes, offset, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Returns when all that was written is on disk. */
  void sync() {
    try {
      device.getFD().sync();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private StapesException failed(IOException e) {
    return DiskError.of(subject, "cannot be written", e);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try (attachment) {
        device.close();
      } catch (IOException e) {
        throw failed(e);
      }
    }
  }
}
