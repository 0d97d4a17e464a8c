package dev.stapes.qmp;

import java.time.Duration;

/**
 * Limits of a connection. {@link #defaults} and from there, one by one.
 *
 * @param connectTimeout from the socket to the first command; 10 seconds
 * @param commandTimeout of a command that is given none; 30 seconds
 * @param largestMessage that the other side may send, in bytes; 64 MiB
 * @param deepestMessage how many objects and arrays may lie in each other; 256
 * @param mostValues in one message, each of which takes up to about 100 bytes; 2 million
 * @param mostInFlight commands that the other side may have at once, the others wait here; 7, which
 *     is what QEMU takes without leaving commands out of band behind. The guest agent gets one
 * @param mostWaiting commands that may wait here; 1024
 * @param eventQueue how many events may wait for one listener; 16384
 */
public record QmpOptions(
    Duration connectTimeout,
    Duration commandTimeout,
    int largestMessage,
    int deepestMessage,
    int mostValues,
    int mostInFlight,
    int mostWaiting,
    int eventQueue) {

  private static final QmpOptions DEFAULTS =
      new QmpOptions(
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          64 << 20,
          256,
          2_000_000,
          7,
          1024,
          1 << 14);

  /** Checks. */
  public QmpOptions {
    positive("connectTimeout", !connectTimeout.isNegative() && !connectTimeout.isZero());
    positive("commandTimeout", !commandTimeout.isNegative() && !commandTimeout.isZero());
    positive("largestMessage", largestMessage > 0);
    positive("deepestMessage", deepestMessage > 0);
    positive("mostValues", mostValues > 0);
    positive("mostInFlight", mostInFlight > 0);
    positive("mostWaiting", mostWaiting > 0);
    positive("eventQueue", eventQueue > 0);
  }

  private static void positive(String name, boolean is) {
    if (!is) {
      throw new IllegalArgumentException(name + " is not positive");
    }
  }

  /** What is written at each of them. */
  public static QmpOptions defaults() {
    return DEFAULTS;
  }

  /** The same with another one. */
  public QmpOptions connectTimeout(Duration timeout) {
    return new QmpOptions(
        timeout,
        commandTimeout,
        largestMessage,
        deepestMessage,
        mostValues,
        mostInFlight,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions commandTimeout(Duration timeout) {
    return new QmpOptions(
        connectTimeout,
        timeout,
        largestMessage,
        deepestMessage,
        mostValues,
        mostInFlight,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions largestMessage(int bytes) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        bytes,
        deepestMessage,
        mostValues,
        mostInFlight,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions deepestMessage(int levels) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        largestMessage,
        levels,
        mostValues,
        mostInFlight,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions mostValues(int values) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        largestMessage,
        deepestMessage,
        values,
        mostInFlight,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions mostInFlight(int commands) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        largestMessage,
        deepestMessage,
        mostValues,
        commands,
        mostWaiting,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions mostWaiting(int commands) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        largestMessage,
        deepestMessage,
        mostValues,
        mostInFlight,
        commands,
        eventQueue);
  }

  /** The same with another one. */
  public QmpOptions eventQueue(int events) {
    return new QmpOptions(
        connectTimeout,
        commandTimeout,
        largestMessage,
        deepestMessage,
        mostValues,
        mostInFlight,
        mostWaiting,
        events);
  }
}
