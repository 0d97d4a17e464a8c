package dev.stapes.internal.image;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Arrays of one size for decoded bytes, used again and again: what was written last is still in the
 * caches of the CPU, and fresh memory would have to be fetched into them. May be used by several
 * threads.
 */
final class Blocks {
  private final int size;
  private final BlockingQueue<byte[]> free;

  /**
   * Has none.
   *
   * @param size of each, in bytes
   * @param most that are kept while nobody uses them
   */
  Blocks(int size, int most) {
    this.size = size;
    this.free = new ArrayBlockingQueue<>(most);
  }

  /** One that only the caller uses; its bytes are what they are. */
  Block take() {
    byte[] known = free.poll();
    return new Block(known == null ? new byte[size] : known);
  }

  /**
   * An array and who uses it. Whoever keeps it beyond a call says so; one that nobody gives back is
   * lost to garbage collection, not to anybody else.
   */
  final class Block {
    private final byte[] bytes;
    private final AtomicInteger users = new AtomicInteger(1);

    private Block(byte[] bytes) {
      this.bytes = bytes;
    }

    byte[] bytes() {
      return bytes;
    }

    /** One more uses it. */
    void retain() {
      users.incrementAndGet();
    }

    /** One uses it no more; behind the last it belongs to somebody else. */
    void release() {
      if (users.decrementAndGet() == 0) {
        free.offer(bytes); // where enough are kept it is garbage
      }
    }
  }
}
