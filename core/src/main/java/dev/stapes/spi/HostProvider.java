package dev.stapes.spi;

/** Opens the machine. */
public interface HostProvider extends Provider {
  /** Whether this machine is of the kind. */
  Availability probe();

  /** Opens it. Each root directory has a host of its own; closing it ends what it started. */
  Host open();
}
