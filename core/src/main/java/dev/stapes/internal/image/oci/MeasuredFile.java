package dev.stapes.internal.image.oci;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;

/** A copy that is hashed and measured while it is written; an interrupt ends it. */
final class MeasuredFile extends OutputStream {
  private final LocalFiles.Wanted wanted;
  private final String name;
  private final String subject;
  private final OutputStream out;
  private final MessageDigest digest = Sha256.begin();
  private long size;

  /**
   * Begins.
   *
   * @param name for errors
   */
  MeasuredFile(LocalFiles.Wanted wanted, String name, String subject) throws IOException {
    this.wanted = wanted;
    this.name = name;
    this.subject = subject;
    // Not a channel: an interrupt would close it.
    this.out = new FileOutputStream(wanted.target().toFile());
  }

  @Override
  public void write(int one) throws IOException {
    write(new byte[] {(byte) one});
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(Kind.INTERRUPTED, subject, "its copying was interrupted");
    }
    size += length;
    if (size > wanted.most()) {
      throw StapesException.invalid(
          subject, name + " has more than the expected " + wanted.most() + " bytes");
    }
    out.write(bytes, offset, length);
    digest.update(bytes, offset, length);
  }

  /** What it has become, when all was written. */
  LocalFiles.Copied copied() {
    return new LocalFiles.Copied(wanted.target(), size, Sha256.hex(digest));
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
