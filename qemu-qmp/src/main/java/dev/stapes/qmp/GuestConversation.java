package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * With a guest agent. One command is under way at a time. At the beginning, and whenever an answer
 * did not come, was not understood or is not to be expected, both sides are brought together again
 * before the next command: the byte 0xFF, which is part of no message, makes the other side forget
 * what it has read, and it puts the same byte before its answer, which has a number that nobody
 * else knows. All that came before is stale.
 */
final class GuestConversation implements Conversation {
  private static final Logger LOG = LoggerFactory.getLogger(GuestConversation.class);
  private static final byte DELIMITER = (byte) 0xFF;

  private final String name;
  private final LongSupplier random;
  private final MessageReader reader;
  private final EventHub events;
  private final Waiting waiting;
  private @Nullable Connection connection;
  private @Nullable Request current;
  private State state = State.APART;
  private long number;

  /** Whether the delimiter has come, so that the next message counts. */
  private boolean delimited;

  /**
   * @param random numbers that the other side cannot guess
   */
  GuestConversation(String name, QmpOptions options, EventHub events, LongSupplier random) {
    this.name = name;
    this.random = random;
    this.reader = new MessageReader(options);
    this.events = events;
    this.waiting = new Waiting(name, options.mostWaiting());
  }

  private enum State {
    /** What comes in is stale, and nothing was done about it. */
    APART,
    /** What comes in is stale, up to the answer with the number. */
    MEETING,
    /** What comes in is the answer to the current command. */
    TOGETHER
  }

  @Override
  public synchronized void begins(Connection begun) {
    connection = begun;
  }

  @Override
  public synchronized void submit(Request request) {
    waiting.add(request);
    pump();
  }

  private void pump() {
    while (current == null && !waiting.isEmpty() && state == State.TOGETHER) {
      Request next = waiting.take();
      if (next.isAnswered()) {
        current = next;
        send(next.numbered());
      } else {
        // It may be answered after all, with an error. One without bytes only waited for this.
        if (next.hasBytes()) {
          send(next.numbered());
          apart();
        }
        next.answer().complete(new Request.Sent());
      }
    }
    if (current == null && !waiting.isEmpty() && state == State.APART) {
      meet();
    }
  }

  private void meet() {
    state = State.MEETING;
    delimited = false;
    // Half the range, which every JSON reader has.
    number = random.getAsLong() & (Long.MAX_VALUE >> 11);
    ObjectNode arguments = JsonNodeFactory.instance.objectNode().put("id", number);
    byte[] line = Encoder.encode("execute", "guest-sync-delimited", arguments);
    byte[] bytes = new byte[line.length + 1];
    bytes[0] = DELIMITER;
    System.arraycopy(line, 0, bytes, 1, line.length);
    send(bytes);
  }

  private void apart() {
    state = State.APART;
    current = null;
    reader.reset();
  }

  private void send(byte[] bytes) {
    if (connection != null) {
      connection.send(bytes, null);
    }
  }

  @Override
  public synchronized void abandon(Request request) {
    request.abandon();
    waiting.remove(request);
    if (request == current || (state == State.MEETING && waiting.isEmpty())) {
      apart();
      pump();
    }
  }

  @Override
  public synchronized void received(byte[] bytes, int from, int to) {
    int start = from;
    for (int i = from; i < to; i++) {
      if (bytes[i] == DELIMITER) {
        feed(bytes, start, i);
        reader.reset();
        delimited = true;
        start = i + 1;
      }
    }
    feed(bytes, start, to);
  }

  private void feed(byte[] bytes, int from, int to) {
    boolean stale = state == State.APART || (state == State.MEETING && !delimited);
    if (from == to || stale) {
      return;
    }
    try {
      reader.feed(bytes, from, to, this::message);
    } catch (QmpProtocolException e) {
      reader.reset();
      Request garbled = current;
      if (state == State.MEETING) {
        delimited = false;
      } else {
        apart();
        if (garbled != null) {
          garbled.answer().complete(new Request.Garbled(e));
        }
        pump();
      }
    }
  }

  private void message(ObjectNode message) {
    if (state == State.MEETING) {
      JsonNode returned = message.path("return");
      if (delimited && returned.isIntegralNumber() && returned.longValue() == number) {
        state = State.TOGETHER;
        pump();
      }
      delimited = false;
    } else if (state == State.TOGETHER && current != null && isFor(current, message)) {
      Request answered = current;
      current = null;
      answered.answer().complete(new Request.Answered(message));
      pump();
    } else {
      LOG.debug("{}: an answer to nothing was dropped", name);
    }
  }

  /** Older agents do not repeat the number of a command. */
  private static boolean isFor(Request request, ObjectNode message) {
    JsonNode id = message.get("id");
    boolean same = id == null || (id.isIntegralNumber() && id.longValue() == request.id());
    return same && (message.has("return") || message.has("error"));
  }

  @Override
  public void ended(String why, @Nullable QmpProtocolException cause) {
    QmpClosedException closed = new QmpClosedException(name + ": " + why, why, cause);
    List<Request> left = new ArrayList<>();
    synchronized (this) {
      left.addAll(waiting.end(closed));
      if (current != null) {
        left.add(current);
        current = null;
      }
    }
    left.forEach(request -> request.answer().complete(new Request.Ended(closed)));
    events.end(closed);
  }
}
