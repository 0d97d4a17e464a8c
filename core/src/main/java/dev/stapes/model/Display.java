package dev.stapes.model;

import java.nio.file.Path;
import java.util.Locale;

/**
 * Where the screen of a running instance is shown, and where its keyboard and mouse are.
 *
 * @param protocol that is spoken there
 * @param socket a Unix socket of the host, which root alone can reach; it goes with this run
 */
public record Display(Protocol protocol, Path socket) {
  /** What is spoken. */
  public enum Protocol {
    /** The remote framebuffer of RFC 6143, without a password. */
    VNC,
    /** SPICE, without a ticket. */
    SPICE;

    /** Such as {@code vnc}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
