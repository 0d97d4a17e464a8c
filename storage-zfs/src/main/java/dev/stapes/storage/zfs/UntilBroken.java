package dev.stapes.storage.zfs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Ends where another stream ends or breaks, and knows why: what came before is of use. */
final class UntilBroken extends InputStream {
  private final InputStream in;
  private @Nullable IOException why;
  private boolean ended;

  UntilBroken(InputStream in) {
    this.in = in;
  }

  /** Why it broke; empty where it has not. */
  Optional<IOException> why() {
    return Optional.ofNullable(why);
  }

  /** So many bytes, or all that come. */
  byte[] start(int most) {
    byte[] start = new byte[most];
    int came = 0;
    for (int count = 0; count >= 0 && came < most; came += Math.max(0, count)) {
      count = read(start, came, most - came);
    }
    return Arrays.copyOf(start, came);
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) {
    if (ended) {
      return -1;
    }
    try {
      int count = in.read(bytes, offset, length);
      ended = count < 0;
      return count;
    } catch (IOException e) {
      ended = true;
      why = e;
      return -1;
    } catch (UncheckedIOException e) {
      ended = true;
      why = e.getCause();
      return -1;
    }
  }
}
