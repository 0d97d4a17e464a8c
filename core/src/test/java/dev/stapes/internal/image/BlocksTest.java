package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class BlocksTest {
  private final Blocks blocks = new Blocks(16, 1);

  @Test
  void an_array_is_used_again_when_its_last_user_gave_it_back() {
    Blocks.Block first = blocks.take();
    first.retain();
    first.release();
    assertNotSame(first.bytes(), blocks.take().bytes(), "somebody still uses it");
    first.release();
    assertSame(first.bytes(), blocks.take().bytes());
  }

  @Test
  void no_more_than_asked_for_are_kept() {
    Blocks.Block one = blocks.take();
    Blocks.Block other = blocks.take();
    one.release();
    other.release();
    assertSame(one.bytes(), blocks.take().bytes());
    assertNotSame(other.bytes(), blocks.take().bytes());
  }
}
