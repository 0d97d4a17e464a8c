package dev.stapes.spi;

import dev.stapes.model.StapesException;

/** Whether a driver can work on this host. */
public sealed interface Availability {
  /** It can. */
  record Available() implements Availability {}

  /**
   * It cannot.
   *
   * @param reason what is missing, such as {@code liblxc.so.1 not found}
   * @param remedy how to mend it, such as {@code install the package liblxc1}
   */
  record Unavailable(String reason, String remedy) implements Availability {}

  /** It can. */
  static Availability available() {
    return new Available();
  }

  /** It cannot. */
  static Availability unavailable(String reason, String remedy) {
    return new Unavailable(reason, remedy);
  }

  /**
   * Throws where it cannot.
   *
   * @param driver for the message, such as {@code lxc driver}
   * @throws StapesException UNAVAILABLE, with the reason and the remedy
   */
  default void orThrow(String driver) {
    if (this instanceof Unavailable no) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE,
          driver,
          "unavailable: " + no.reason() + ": " + no.remedy());
    }
  }
}
