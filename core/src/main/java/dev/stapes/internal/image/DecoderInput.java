package dev.stapes.internal.image;

import dev.stapes.spi.Decoder;
import java.io.IOException;
import java.io.InputStream;

/** What a decoder makes of a stream; closing it closes both. */
final class DecoderInput extends InputStream {
  private final Decoder decoder;
  private final InputStream in;

  /** Takes both over; where that fails, only the decoder. */
  DecoderInput(Decoder decoder, InputStream in) {
    this.decoder = decoder;
    this.in = in;
    try {
      decoder.begin(in);
    } catch (Throwable e) {
      decoder.close();
      throw e;
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    return decoder.read(into, offset, length);
  }

  @Override
  public void close() throws IOException {
    try (in) {
      decoder.close();
    }
  }
}
