package dev.stapes.qemu.driver;

import java.security.SecureRandom;
import java.util.HexFormat;

/** What both ends of one move know, and nobody else. Never told by {@link #toString}. */
final class PreSharedKey {
  private static final int BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String hex;

  private PreSharedKey(String hex) {
    this.hex = hex;
  }

  static PreSharedKey random() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return new PreSharedKey(HexFormat.of().formatHex(bytes));
  }

  /** A file of keys as GnuTLS reads it: one line, of a user and its key. */
  String fileOf(String user) {
    return user + ":" + hex + "\n";
  }

  @Override
  public String toString() {
    return "a key";
  }
}
