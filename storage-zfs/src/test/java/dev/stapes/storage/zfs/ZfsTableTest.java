package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class ZfsTableTest {
  @Test
  void rows_are_lines_and_values_are_between_tabs() {
    assertEquals(
        List.of(List.of("tank", "1"), List.of("tank/a b", "-")),
        ZfsTable.rows("tank\t1\ntank/a b\t-\n", 2));
    assertEquals(List.of(), ZfsTable.rows("", 2));
    assertEquals(List.of("x", ""), ZfsTable.row("x\t\n", 2));
  }

  @Test
  void what_has_another_shape_is_refused_with_the_line() {
    refused("tank\t1\t2", () -> ZfsTable.rows("tank\t1\t2\n", 2));
    refused("tank", () -> ZfsTable.rows("tank\n", 2));
    refused("ta", () -> ZfsTable.rows("tank\t1\nta", 2));
    refused("one line", () -> ZfsTable.row("a\nb\n", 1));
    refused("one line", () -> ZfsTable.row("", 1));
  }

  @Test
  void numbers_are_exact_and_nothing_is_zero() {
    assertEquals(9_223_372_036_854_775_807L, ZfsTable.number("9223372036854775807"));
    assertEquals(0, ZfsTable.number("-"));
    assertEquals(0, ZfsTable.number("none"));
    refused("1.5G", () -> ZfsTable.number("1.5G"));
  }

  private static void refused(String quoted, Runnable parse) {
    StapesException error = assertThrows(StapesException.class, parse::run);
    assertEquals(Kind.INTERNAL, error.kind());
    assertEquals(true, String.valueOf(error.getMessage()).contains(quoted), error.getMessage());
  }
}
