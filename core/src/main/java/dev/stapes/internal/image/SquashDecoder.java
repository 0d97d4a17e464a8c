package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Decodes the blocks of one squashfs file system, for several threads. What decodes xz is kept for
 * the next block.
 */
final class SquashDecoder implements AutoCloseable {
  /** As much as the largest blocks of squashfs want, and a margin. */
  private static final Size MEMORY = Size.ofMebibytes(64);

  private final SquashCodec codec;
  private final Decoders decoders;
  private final Queue<Decoder> idle = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  SquashDecoder(SquashCodec codec, Decoders decoders) {
    this.codec = codec;
    this.decoders = decoders;
  }

  /**
   * Decodes a block.
   *
   * @param into takes what comes out
   * @param most bytes that it may have
   * @return how many it has
   * @throws StapesException INVALID where it is damaged or has more
   */
  int decode(byte[] block, int length, byte[] into, int most) {
    Optional<Format> format = codec.format();
    return format.isPresent()
        ? decode(format.get(), block, length, into, most)
        : codec.decode(block, length, into, most);
  }

  private int decode(Format format, byte[] block, int length, byte[] into, int most) {
    Decoder known = idle.poll();
    Decoder decoder = known == null ? decoders.open(format, MEMORY) : known;
    try {
      decoder.begin(new ByteArrayInputStream(block, 0, length));
      int done = 0;
      int count = 0;
      while (count >= 0 && done < most) {
        count = decoder.read(into, done, most - done);
        done += Math.max(count, 0);
      }
      if (count >= 0 && decoder.read(new byte[1], 0, 1) >= 0) {
        throw new IOException("it has too much");
      }
      return done;
    } catch (InterruptedIOException e) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", e);
    } catch (StapesException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw SquashCodec.damaged(e);
    } finally {
      idle.add(decoder);
      if (closed) { // nobody else will
        close();
      }
    }
  }

  /** What is decoding meanwhile lets go of its memory when it is done. */
  @Override
  public void close() {
    closed = true;
    for (Decoder decoder = idle.poll(); decoder != null; decoder = idle.poll()) {
      decoder.close();
    }
  }
}
