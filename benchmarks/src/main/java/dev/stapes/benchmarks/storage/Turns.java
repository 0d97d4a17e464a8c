package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Lane;
import java.io.Closeable;
import java.io.IOException;

/** A lane of three steps, each of which is told the name that is the run's own. */
final class Turns implements Lane {
  private final String prefix;
  private Step before = name -> {};
  private Step run = name -> {};
  private Step after = name -> {};
  private Closeable left = () -> {};
  private int turn;

  /** Has no steps. */
  Turns(String prefix) {
    this.prefix = prefix;
  }

  /** A part of a run. */
  @FunctionalInterface
  interface Step {
    /** Does it. */
    void with(String name) throws IOException, InterruptedException;
  }

  Turns before(Step step) {
    before = step;
    return this;
  }

  Turns run(Step step) {
    run = step;
    return this;
  }

  Turns after(Step step) {
    after = step;
    return this;
  }

  /** What a run that was cut short has left open. */
  Turns left(Closeable last) {
    left = last;
    return this;
  }

  private String name() {
    return prefix + "-" + turn;
  }

  @Override
  public void before() throws IOException, InterruptedException {
    turn++;
    before.with(name());
  }

  @Override
  public void run() throws IOException, InterruptedException {
    run.with(name());
  }

  @Override
  public void after() throws IOException, InterruptedException {
    after.with(name());
  }

  @Override
  public void close() throws IOException {
    left.close();
  }
}
