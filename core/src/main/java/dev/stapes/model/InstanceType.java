package dev.stapes.model;

/** What kind of machine an instance is. */
public enum InstanceType {
  /** A system container: the host's kernel, own namespaces. */
  CONTAINER("container"),
  /** A virtual machine: own kernel. */
  VIRTUAL_MACHINE("virtual-machine");

  private final String text;

  InstanceType(String text) {
    this.text = text;
  }

  /** Incus's word for it, {@code container} or {@code virtual-machine}. */
  @Override
  public String toString() {
    return text;
  }
}
