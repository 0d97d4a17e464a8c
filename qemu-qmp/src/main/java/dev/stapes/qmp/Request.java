package dev.stapes.qmp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A command that was given and not answered yet. */
final class Request {
  private final long id;
  private final String commandName;
  private final byte[] bytes;
  private final @Nullable Fd passed;
  private final boolean answered;
  private final CompletableFuture<Answer> answer = new CompletableFuture<>();

  /** Nobody waits for it any more. */
  private volatile boolean abandoned;

  /**
   * @param bytes what is sent
   * @param passed the descriptor that goes along; the caller's, which waits until the answer came
   * @param answered whether there is an answer if all goes well
   */
  Request(long id, String commandName, byte[] bytes, @Nullable Fd passed, boolean answered) {
    this.id = id;
    this.commandName = commandName;
    this.bytes = bytes;
    this.passed = passed;
    this.answered = answered;
  }

  /** How a command ended. */
  sealed interface Answer {}

  /**
   * The other side answered.
   *
   * @param message with {@code return} or {@code error}
   */
  record Answered(ObjectNode message) implements Answer {}

  /** It was sent, and there is no answer to wait for. */
  record Sent() implements Answer {}

  /** The connection ended before. */
  record Ended(QmpClosedException why) implements Answer {}

  /** What the other side said cannot be understood, but the connection is still of use. */
  record Garbled(QmpProtocolException why) implements Answer {}

  /** The time was over. */
  record TimedOut() implements Answer {}

  long id() {
    return id;
  }

  String commandName() {
    return commandName;
  }

  byte[] bytes() {
    return bytes;
  }

  @Nullable Fd passed() {
    return passed;
  }

  boolean isAnswered() {
    return answered;
  }

  boolean isAbandoned() {
    return abandoned;
  }

  void abandon() {
    abandoned = true;
  }

  CompletableFuture<Answer> answer() {
    return answer;
  }
}
