package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClaimsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");

  private final Claims claims = new Claims("pool test");
  private final List<String> done = new ArrayList<>();

  @Test
  void what_is_received_is_neither_received_again_nor_freed() {
    claims.receive(A);
    assertEquals(Set.of(A), claims.received());
    assertEquals(Kind.BUSY, assertThrows(StapesException.class, () -> claims.receive(A)).kind());
    assertEquals(
        Kind.BUSY,
        assertThrows(StapesException.class, () -> claims.holding(A, () -> done.add("no"))).kind());
    assertFalse(claims.tryHolding(A, () -> done.add("no")));
    assertEquals(List.of(), done);
    claims.release(A);
    assertTrue(claims.tryHolding(A, () -> done.add("freed")));
    claims.holding(A, () -> done.add("again"));
    assertEquals(List.of("freed", "again"), done);
    claims.receive(A);
  }

  @Test
  void what_fails_while_it_is_held_lets_it_go() {
    assertThrows(
        IllegalStateException.class,
        () ->
            claims.tryHolding(
                A,
                () -> {
                  throw new IllegalStateException();
                }));
    claims.receive(A);
    assertTrue(claims.isReceived(A));
  }
}
