package dev.stapes;

import dev.stapes.spi.Machine;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** The console of a running instance. Close it to give it back. */
public final class Console implements AutoCloseable {
  private final Machine.Console console;

  Console(Machine.Console console) {
    this.console = console;
  }

  /** What was written to it since the start, at least the last 64 KiB, as UTF-8. */
  public String log() {
    return new String(console.log(), StandardCharsets.UTF_8);
  }

  /**
   * From this call on, what is written to it; ends with the instance. One reader at a time: BUSY
   * where somebody else has it.
   */
  public InputStream output() {
    return console.output();
  }

  /** What is typed on it. */
  public OutputStream input() {
    return console.input();
  }

  @Override
  public void close() {
    console.close();
  }
}
