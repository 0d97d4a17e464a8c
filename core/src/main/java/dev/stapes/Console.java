package dev.stapes;

import dev.stapes.spi.Machine;
import java.io.InputStream;
import java.io.OutputStream;

/** The console of a running instance. Close it to give it back. */
public final class Console implements AutoCloseable {
  private final Machine.Console console;
  private final ConsoleLog log;

  Console(Machine.Console console, ConsoleLog log) {
    this.console = console;
    this.log = log;
  }

  /** What was written to it and is kept, see {@link ConsoleLog#text}. */
  public String log() {
    return log.text();
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
