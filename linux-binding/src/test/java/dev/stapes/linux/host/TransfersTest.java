package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who ends a stream. */
class TransfersTest {
  private final Transfers transfers = new Transfers();
  private final List<String> ended = new ArrayList<>();

  @Test
  void what_has_ended_by_itself_is_not_ended_again() {
    Transfers.Transfer transfer = transfers.begin(() -> ended.add("a"));
    transfer.close();
    transfers.cut();
    assertEquals(List.of("a"), ended);
    assertFalse(transfer.isCut());
  }

  @Test
  void all_that_goes_on_is_ended_where_one_fails_and_knows_why() {
    Transfers.Transfer broken =
        transfers.begin(
            () -> {
              throw new IllegalStateException("does not end");
            });
    Transfers.Transfer other = transfers.begin(() -> ended.add("b"));
    transfers.cut();
    assertEquals(List.of("b"), ended);
    assertTrue(broken.isCut());
    assertTrue(other.isCut());
  }

  @Test
  void what_begins_later_goes_on() {
    transfers.cut();
    assertFalse(transfers.begin(() -> {}).isCut());
  }
}
