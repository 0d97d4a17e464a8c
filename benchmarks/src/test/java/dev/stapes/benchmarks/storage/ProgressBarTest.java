package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final AtomicLong clock = new AtomicLong();

  private ProgressBar of(boolean bar) {
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    return new ProgressBar(out, bar, 4, clock::get);
  }

  private String said() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void elsewhere_than_on_a_terminal_there_is_a_line_for_each_point() {
    ProgressBar progress = of(false);
    progress.begins("create");
    progress.round("create", 1, 2);
    progress.failed("dir on create", new IOException("full"));
    progress.begins("clone");
    progress.end();
    assertEquals(
        String.format(
            Locale.ROOT,
            "1/4 create ...%n  dir on create FAILED: java.io.IOException: full%n2/4 clone ...%n"),
        said());
  }

  @Test
  void on_a_terminal_there_is_a_bar_with_the_time() {
    ProgressBar progress = of(true);
    progress.begins("create");
    progress.begins("clone");
    clock.set(62_000_000_000L);
    progress.round("clone", 1, 2);
    String last = said().substring(said().lastIndexOf('\r'));
    assertTrue(
        last.contains("[###########-------------------]  37 %  1:02  clone, round 1 of 2"), last);
    progress.end();
    assertTrue(said().endsWith("\r\u001b[K"), said());
  }
}
