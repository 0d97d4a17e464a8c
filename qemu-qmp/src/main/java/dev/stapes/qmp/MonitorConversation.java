package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * With a monitor: it greets, several commands are under way at once, answers are matched by number,
 * events come in between. QEMU takes a command byte by byte, each with a turn of its main loop, so
 * one that goes alone has no number.
 */
final class MonitorConversation implements Conversation {
  private static final Logger LOG = LoggerFactory.getLogger(MonitorConversation.class);

  private final String name;
  private final int mostInFlight;
  private final MessageReader reader;
  private final EventHub events;
  private final Waiting waiting;
  private final Map<Long, Request> inFlight = new LinkedHashMap<>(4);
  private final Map<Long, Request> outOfBand = new LinkedHashMap<>(1);
  private final CompletableFuture<QmpGreeting> greeting = new CompletableFuture<>();
  private @Nullable Connection connection;

  /**
   * Whether a command has been answered. Until then answers may come to what another client asked
   * that is gone: QEMU ends what it is doing, and tells whoever is connected then.
   */
  private boolean met;

  MonitorConversation(String name, QmpOptions options, EventHub events) {
    this.name = name;
    this.mostInFlight = options.mostInFlight();
    this.reader = new MessageReader(options);
    this.events = events;
    this.waiting = new Waiting(name, options.mostWaiting());
  }

  /** Comes before anything may be sent. */
  CompletableFuture<QmpGreeting> greeting() {
    return greeting;
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

  /** Sends past the queue. */
  synchronized void submitOutOfBand(Request request) {
    waiting.checkOpen();
    outOfBand.put(request.id(), request);
    send(request, request.numbered());
  }

  private void pump() {
    for (Request next = waiting.peek(); next != null && mayGo(next); next = waiting.peek()) {
      waiting.take();
      boolean alone = met && inFlight.isEmpty() && next.isAnswered();
      if (next.isAnswered()) {
        inFlight.put(next.id(), next);
      }
      send(next, alone ? next.unnumbered() : next.numbered());
      if (!next.isAnswered()) {
        next.answer().complete(new Request.Sent());
      }
    }
  }

  /** QEMU keeps one descriptor at a time: that of the next message replaces one not yet taken. */
  private boolean mayGo(Request next) {
    return inFlight.size() < mostInFlight
        && (next.passed() == null
            || inFlight.values().stream().allMatch(other -> other.passed() == null));
  }

  private void send(Request request, byte[] line) {
    if (connection != null) {
      connection.send(line, request.passed());
    }
  }

  @Override
  public synchronized void abandon(Request request) {
    // One that was sent still takes the other side's time: its place is free when it is answered.
    request.abandon();
    if (waiting.remove(request)) {
      pump();
    }
  }

  @Override
  public void received(byte[] bytes, int from, int to) {
    try {
      reader.feed(bytes, from, to, this::message);
    } catch (QmpProtocolException e) {
      reader.reset();
      Connection current;
      synchronized (this) {
        current = connection;
      }
      if (current != null) {
        current.end("the other side broke the protocol: " + e.getMessage(), e);
      }
    }
  }

  private void message(ObjectNode message) {
    if (message.has("event")) {
      events.publish(RawEvent.of(message));
    } else if (message.has("return") || message.has("error")) {
      answer(message);
    } else if (message.has("QMP") && mayGreet()) {
      greeting.complete(QmpGreeting.of(message.path("QMP")));
    } else {
      List<String> members = new ArrayList<>();
      message.fieldNames().forEachRemaining(members::add);
      throw new QmpProtocolException(
          "a message that is no answer, event or greeting, with members " + members);
    }
  }

  /**
   * Who connects while QEMU sets up its monitor may be greeted twice: by the thread that accepted
   * and by the monitor's own. Both greet before the first command is executed.
   */
  private synchronized boolean mayGreet() {
    return !met;
  }

  private void answer(ObjectNode message) {
    Request request;
    synchronized (this) {
      JsonNode id = message.get("id");
      request = id == null ? oldest() : take(id);
      if (request != null) {
        met = true;
        inFlight.remove(request.id());
        pump();
      }
    }
    if (request == null) {
      LOG.debug("{}: an answer to nothing was dropped", name);
    } else if (!request.isAbandoned()) {
      request.answer().complete(new Request.Answered(message));
    }
  }

  /**
   * An answer without a number is to the oldest: only what was sent while nothing else was under
   * way has none, and answers come in the order of the commands, but for those out of band. The
   * first command of a client has a number: before its answer one without is another client's.
   */
  private @Nullable Request oldest() {
    return !met || inFlight.isEmpty() ? null : inFlight.values().iterator().next();
  }

  private @Nullable Request take(JsonNode id) {
    if (!id.isIntegralNumber() || !id.canConvertToLong()) {
      return null;
    }
    Request found = inFlight.get(id.longValue());
    return found == null ? outOfBand.remove(id.longValue()) : found;
  }

  @Override
  public void ended(String why, @Nullable QmpProtocolException cause) {
    boolean within = reader.isWithinMessage() && cause == null;
    String reason = within ? why + " in the midst of a message" : why;
    QmpClosedException closed = new QmpClosedException(name + ": " + reason, reason, cause);
    List<Request> left = new ArrayList<>();
    synchronized (this) {
      left.addAll(inFlight.values());
      left.addAll(outOfBand.values());
      left.addAll(waiting.end(closed));
      inFlight.clear();
      outOfBand.clear();
    }
    left.forEach(request -> request.answer().complete(new Request.Ended(closed)));
    greeting.completeExceptionally(closed);
    events.end(closed);
  }
}
