package dev.stapes.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.Objects;

/** Open files of fake volumes. Never instantiated. */
final class FakeFile {
  private FakeFile() {}

  /** An open file, for reading. */
  static final class Reader extends InputStream {
    private final FakeVolume lock;
    private final FakeInode file;
    private long position;

    Reader(FakeVolume lock, FakeInode file) {
      this.lock = lock;
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, into.length);
      synchronized (lock) {
        int count = file.read(position, into, offset, length);
        position += count;
        return count == 0 && length > 0 ? -1 : count;
      }
    }
  }

  /** An open file, for writing. */
  static final class Writer extends OutputStream {
    private final FakeVolume volume;
    private final String path;
    private final FakeInode file;
    private int position;
    private boolean closed;

    Writer(FakeVolume volume, String path, FakeInode file, int position) {
      this.volume = volume;
      this.path = path;
      this.file = file;
      this.position = position;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      synchronized (volume) {
        if (closed) {
          throw new IOException(path + ": the stream is closed");
        }
        volume.charge(path, Math.max(0L, (long) position + length - file.stored()));
        file.write(position, bytes, offset, length);
        file.modifiedAt = Instant.now();
        position += length;
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
