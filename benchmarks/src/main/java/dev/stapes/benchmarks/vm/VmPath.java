package dev.stapes.benchmarks.vm;

import dev.stapes.benchmarks.Labelled;

/** What is measured. */
enum VmPath implements Labelled {
  /** From a machine that was created to the answer to its first command. */
  BOOT("boot"),

  /**
   * From a machine whose memory was saved to the answer to its first command; who has none boots.
   */
  SAVED("saved");

  private final String label;

  VmPath(String label) {
    this.label = label;
  }

  @Override
  public String label() {
    return label;
  }
}
