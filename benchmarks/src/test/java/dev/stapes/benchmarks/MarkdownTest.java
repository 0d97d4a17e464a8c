package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MarkdownTest {
  private static final List<Row> ROWS =
      List.of(
          new Row("tar.zst", "stapes", 500, 550.4, 9),
          new Row("tar.zst", "tar", 1000, 1100, 9),
          new Row("squashfs", "stapes", 80, 8.254, 9),
          new Row("squashfs", "unsquashfs", 100, 120, 9));

  @Test
  void who_is_not_on_a_path_has_an_empty_place_in_it() {
    Markdown text = new Markdown("T", Map.of("Machine", "a\nmachine\n"));
    text.medians("Medians", ROWS);
    assertEquals(
        """
        # T

        - Machine: a machine

        ## Medians

        | path     |      stapes |         tar | unsquashfs |
        |----------|------------:|------------:|-----------:|
        | tar.zst  |   500 / 550 | 1000 / 1100 |          - |
        | squashfs | 80.0 / 8.25 |           - |  100 / 120 |

        """,
        text.toString());
  }

  @Test
  void ratios_are_of_medians() {
    Markdown text = new Markdown("T", Map.of());
    text.ratios("Ratios", "stapes", ROWS);
    assertEquals(
        """
        # T


        ## Ratios

        | path     |  tar | unsquashfs |
        |----------|-----:|-----------:|
        | tar.zst  | 2.00 |          - |
        | squashfs |    - |       1.25 |

        """,
        text.toString());
  }

  @Test
  void sections_with_nothing_in_them_are_left_out() {
    Markdown text = new Markdown("T", Map.of());
    text.ratios("Ratios", "stapes", ROWS.subList(0, 1));
    text.ratios("Ratios", "stapes", ROWS.subList(1, 2));
    text.list("Missing", Map.of());
    assertEquals("# T\n\n\n", text.toString());
  }
}
