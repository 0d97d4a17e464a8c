package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Locale;

/** New identities. */
final class Ids {
  private static final char[] ALPHABET = "abcdefghijklmnopqrstuvwxyz234567".toCharArray();
  private static final SecureRandom RANDOM = new SecureRandom();

  private Ids() {}

  /** Of an instance: 60 random bits. */
  static InstanceId instance() {
    return new InstanceId(word(12));
  }

  /** Of a volume that belongs to an instance: its id and 40 random bits. */
  static String volumeOf(InstanceId id) {
    return id + "-" + word(8);
  }

  /** Of the memory of a machine that is saved. */
  static String state() {
    return word(12);
  }

  /** Of a custom volume. */
  static String volume() {
    return word(12);
  }

  /** Tells instances that wait in one warm pool from each other. */
  static String ofOneThatWaits() {
    return word(6);
  }

  /** Sorts by time. */
  static String ordered(Instant at) {
    return String.format(Locale.ROOT, "%015d-%s", at.toEpochMilli(), word(6));
  }

  private static String word(int length) {
    long bits = RANDOM.nextLong();
    char[] word = new char[length];
    for (int i = 0; i < length; i++) {
      word[i] = ALPHABET[(int) (bits & 31)];
      bits >>>= 5;
    }
    return new String(word);
  }
}
