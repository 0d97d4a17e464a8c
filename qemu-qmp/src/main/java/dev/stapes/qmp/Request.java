package dev.stapes.qmp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A command that was given and not answered yet. */
final class Request {
  private final long id;
  private final String commandName;
  private final byte[] line;
  private final @Nullable Fd passed;
  private final boolean answered;
  private final CompletableFuture<Answer> answer = new CompletableFuture<>();

  /** Nobody waits for it any more. */
  private volatile boolean abandoned;

  /**
   * @param line what is sent, without the number; empty where there is nothing to send
   * @param passed the descriptor that goes along; the caller's, which waits until the answer came
   * @param answered whether there is an answer if all goes well
   */
  Request(long id, String commandName, byte[] line, @Nullable Fd passed, boolean answered) {
    this.id = id;
    this.commandName = commandName;
    this.line = line;
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

  boolean hasBytes() {
    return line.length > 0;
  }

  /** What is sent where it cannot be known otherwise what an answer is to. */
  byte[] numbered() {
    return Encoder.numbered(line, id);
  }

  /** What is sent where no other answer can come. */
  byte[] unnumbered() {
    return line;
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
