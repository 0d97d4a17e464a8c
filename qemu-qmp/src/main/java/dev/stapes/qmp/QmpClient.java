package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a QEMU monitor, a storage daemon or a guest agent.
 *
 * <p>Thread-safe: any number of threads may wait for commands at once. Calls that wait are
 * interruptible, and leave the connection usable: a late answer is dropped.
 *
 * <p>Every call throws {@link QmpClosedException} once the connection has ended.
 */
public final class QmpClient implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final QmpLoop loop;
  private final String name;
  private final QmpOptions options;
  private final EventHub events;
  private final Conversation conversation;
  private final @Nullable MonitorConversation monitor;
  private final AtomicLong ids = new AtomicLong();
  private final Connection connection;
  private volatile @Nullable QmpGreeting greeting;
  private volatile @Nullable QmpIntrospection introspection;

  private QmpClient(
      QmpLoop loop, UnixSocket socket, String name, QmpDialect dialect, QmpOptions options) {
    this.loop = loop;
    this.name = name;
    this.options = options;
    this.events = new EventHub(name, dialect.decoder(), loop.dispatcher(), options.eventQueue());
    if (dialect.isGuest()) {
      GuestConversation guest = new GuestConversation(name, options, events, RANDOM::nextLong);
      this.monitor = null;
      this.conversation = guest;
      this.connection = loop.add(socket, guest);
    } else {
      MonitorConversation talk = new MonitorConversation(name, options, events);
      this.monitor = talk;
      this.conversation = talk;
      this.connection = loop.add(socket, talk);
    }
  }

  /**
   * Connects to a socket of this machine.
   *
   * @param path of any length, though its last name alone must fit into an address
   * @throws QmpConnectException where nobody listens
   * @throws QmpTimeoutException where nobody greets in time, or the guest agent is not there
   * @throws QmpProtocolException where it is no QMP that is spoken there
   */
  public static QmpClient connect(QmpLoop loop, Path path, QmpDialect dialect, QmpOptions options)
      throws InterruptedException {
    UnixSocket socket;
    try {
      socket = UnixSocket.connect(loop.syscalls(), path);
    } catch (LinuxException e) {
      throw new QmpConnectException(path + ": cannot connect: " + e.errnoName(), e);
    }
    return over(loop, socket, path.toString(), dialect, options);
  }

  /**
   * As {@link #connect} over a socket that is connected.
   *
   * @param socket becomes the client's, which closes it
   * @param name what it is called in messages
   */
  public static QmpClient over(
      QmpLoop loop, UnixSocket socket, String name, QmpDialect dialect, QmpOptions options)
      throws InterruptedException {
    QmpClient client = new QmpClient(loop, socket, name, dialect, options);
    try {
      client.begin();
      return client;
    } catch (RuntimeException | InterruptedException e) {
      client.close();
      throw e;
    }
  }

  private void begin() throws InterruptedException {
    long deadline = Timers.after(options.connectTimeout());
    if (monitor == null) {
      Request meeting = new Request(ids.incrementAndGet(), "meeting", new byte[0], null, false);
      conversation.submit(meeting);
      if (!(awaitAnswer(meeting, deadline) instanceof Request.Sent)) {
        throw silent("the guest agent does not answer");
      }
      return;
    }
    QmpGreeting said = awaitGreeting(monitor, deadline);
    ObjectNode arguments = JsonNodeFactory.instance.objectNode();
    if (said.capabilities().contains(QmpGreeting.OOB)) {
      arguments.putArray("enable").add(QmpGreeting.OOB);
    }
    RawCommand negotiate = new RawCommand("qmp_capabilities", arguments);
    execute(negotiate, Duration.ofNanos(Timers.left(deadline)));
    greeting = said;
  }

  private QmpGreeting awaitGreeting(MonitorConversation talk, long deadline)
      throws InterruptedException {
    try {
      return talk.greeting().get(Timers.left(deadline), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw silent("nobody greets");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof QmpClosedException why
          && why.getCause() instanceof QmpProtocolException protocol) {
        throw new QmpProtocolException(name + ": " + protocol.getMessage(), protocol);
      }
      if (e.getCause() instanceof QmpClosedException why) {
        throw Waiting.again(why);
      }
      throw new IllegalStateException(name, e);
    }
  }

  private QmpTimeoutException silent(String what) {
    return new QmpTimeoutException(
        name + ": " + what + " within " + options.connectTimeout().toMillis() + " ms");
  }

  /** What the other side said first; empty of a guest agent. */
  public Optional<QmpGreeting> greeting() {
    return Optional.ofNullable(greeting);
  }

  /**
   * Gives a command and waits for its answer, up to {@link QmpOptions#commandTimeout}.
   *
   * @return what it returned; null only where R is Void
   * @throws QmpCommandException if the other side refuses or fails
   * @throws QmpTimeoutException if there is no answer in time; it may still be carried out
   * @throws QmpBusyException if too many commands wait already
   * @throws QmpProtocolException if the answer is not what the schema says
   * @throws InterruptedException if the thread is interrupted; it may still be carried out
   */
  public <R> R execute(QmpCommand<R> command) throws InterruptedException {
    return execute(command, options.commandTimeout());
  }

  /** As {@link #execute(QmpCommand)} with a timeout of its own, that includes its turn to come. */
  public <R> R execute(QmpCommand<R> command, Duration timeout) throws InterruptedException {
    Request request = request("execute", command, null, true);
    connection.ask(() -> conversation.submit(request), request.answer());
    return await(command, request, timeout);
  }

  /**
   * As {@link #execute(QmpCommand)}, without waiting. What follows on the future runs on the thread
   * of the listeners and must not take long; cancelling it drops the answer.
   *
   * @return fails as {@link #execute(QmpCommand)} does
   */
  public <R> CompletableFuture<R> executeAsync(QmpCommand<R> command) {
    Request request = request("execute", command, null, true);
    CompletableFuture<R> result = new CompletableFuture<>();
    Timers.Timer timer =
        loop.schedule(
            options.commandTimeout(), () -> request.answer().complete(new Request.TimedOut()));
    CompletableFuture<?> unusedAnswered =
        request
            .answer()
            .thenAccept(
                answer -> {
                  loop.cancel(timer);
                  loop.dispatcher().execute(() -> complete(result, command, request, answer));
                });
    CompletableFuture<?> unusedCancelled =
        result.whenComplete(
            (value, failure) -> {
              if (result.isCancelled()) {
                loop.cancel(timer);
                conversation.abandon(request);
              }
            });
    try {
      conversation.submit(request);
    } catch (RuntimeException e) {
      loop.cancel(timer);
      throw e;
    }
    return result;
  }

  private <R> void complete(
      CompletableFuture<R> result, QmpCommand<R> command, Request request, Request.Answer answer) {
    try {
      if (answer instanceof Request.TimedOut) {
        conversation.abandon(request);
      }
      result.complete(result(command, answer, options.commandTimeout()));
    } catch (RuntimeException e) {
      result.completeExceptionally(e);
    }
  }

  /**
   * As {@link #execute(QmpCommand)}, ahead of all commands that wait or are under way. Few commands
   * may be given so.
   *
   * @throws IllegalStateException if the other side does not offer that
   */
  public <R> R executeOutOfBand(QmpCommand<R> command) throws InterruptedException {
    QmpGreeting said = greeting;
    if (monitor == null || said == null || !said.capabilities().contains(QmpGreeting.OOB)) {
      throw new IllegalStateException(
          name + ": " + command.commandName() + ": the other side takes no commands out of band");
    }
    Request request = request("exec-oob", command, null, true);
    monitor.submitOutOfBand(request);
    return await(command, request, options.commandTimeout());
  }

  /**
   * Gives a command that is not answered when it succeeds, such as {@code guest-shutdown}, and
   * returns when it has been given.
   */
  public void send(QmpCommand<?> command) throws InterruptedException {
    Request request = request("execute", command, null, false);
    conversation.submit(request);
    Duration timeout = options.commandTimeout();
    Request.Answer answer = awaitAnswer(request, Timers.after(timeout));
    if (!(answer instanceof Request.Sent)) {
      result(command, answer, timeout);
    }
  }

  /**
   * As {@link #execute(QmpCommand)}, passing a descriptor along for commands that take one.
   *
   * @param fd stays the caller's; the other side gets one of its own
   * @throws IllegalStateException if it is a guest agent
   */
  public <R> R execute(QmpCommand<R> command, Fd fd) throws InterruptedException {
    if (monitor == null) {
      throw new IllegalStateException(
          name + ": " + command.commandName() + ": a guest agent takes no descriptors");
    }
    Request request = request("execute", command, fd, true);
    conversation.submit(request);
    return await(command, request, options.commandTimeout());
  }

  /**
   * Gives QEMU a descriptor under a name, for one use by a command that takes such a name.
   *
   * @param fd stays the caller's
   */
  public void getFd(String fdName, Fd fd) throws InterruptedException {
    ObjectNode arguments = JsonNodeFactory.instance.objectNode().put("fdname", fdName);
    execute(new RawCommand("getfd", arguments), fd);
  }

  /**
   * Gives QEMU a descriptor of a file, in a new set, for all commands that take the file's name.
   *
   * @param fd stays the caller's
   */
  public FdsetEntry addFd(Fd fd) throws InterruptedException {
    JsonNode added = execute(new RawCommand("add-fd"), fd);
    if (!added.path("fdset-id").canConvertToLong() || !added.path("fd").canConvertToLong()) {
      throw new QmpProtocolException(name + ": add-fd: no numbers are returned");
    }
    return new FdsetEntry(added.path("fdset-id").longValue(), added.path("fd").longValue());
  }

  private Request request(
      String verb, QmpCommand<?> command, @Nullable Fd passed, boolean answered) {
    long id = ids.incrementAndGet();
    String commandName = command.commandName();
    byte[] bytes = Encoder.encode(verb, commandName, command.arguments());
    return new Request(id, commandName, bytes, passed, answered);
  }

  private <R> R await(QmpCommand<R> command, Request request, Duration timeout)
      throws InterruptedException {
    return result(command, awaitAnswer(request, Timers.after(timeout)), timeout);
  }

  private Request.Answer awaitAnswer(Request request, long deadline) throws InterruptedException {
    try {
      return request.answer().get(Timers.left(deadline), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      conversation.abandon(request);
      return new Request.TimedOut();
    } catch (InterruptedException e) {
      conversation.abandon(request);
      throw e;
    } catch (ExecutionException e) {
      throw new IllegalStateException(name, e);
    }
  }

  private <R> R result(QmpCommand<R> command, Request.Answer answer, Duration timeout) {
    String what = name + ": " + command.commandName();
    if (answer instanceof Request.Answered answered) {
      JsonNode error = answered.message().get("error");
      if (error != null) {
        String description = Secrets.blot(error.path("desc").asText(""), command.arguments());
        String errorClass = error.path("class").asText("");
        throw new QmpCommandException(name, command.commandName(), errorClass, description);
      }
      return command.result(answered.message().path("return"));
    } else if (answer instanceof Request.Ended ended) {
      throw Waiting.again(ended.why());
    } else if (answer instanceof Request.Garbled garbled) {
      throw new QmpProtocolException(what + ": " + garbled.why().getMessage(), garbled.why());
    } else if (answer instanceof Request.TimedOut) {
      throw new QmpTimeoutException(what + ": no answer within " + timeout.toMillis() + " ms");
    }
    return command.result(JsonNodeFactory.instance.objectNode());
  }

  /** Tells a listener all events of a type from now on; {@code QmpEvent.class} are all. */
  public <E extends QmpEvent> QmpSubscription subscribe(
      Class<E> type, QmpListener<? super E> listener) {
    return events.subscribe(type, listener);
  }

  /**
   * Looks out for an event from now on, so that it can be brought about before it is waited for.
   *
   * @param predicate quick: it runs on the thread that reads for all clients
   */
  public <E extends QmpEvent> QmpExpectation<E> expect(
      Class<E> type, Predicate<? super E> predicate) {
    return new QmpExpectation<>(name, events, type, predicate);
  }

  /** Waits for an event that comes from now on; see {@link #expect} and its await. */
  public <E extends QmpEvent> E await(
      Class<E> type, Predicate<? super E> predicate, Duration timeout) throws InterruptedException {
    try (QmpExpectation<E> expectation = expect(type, predicate)) {
      return expectation.await(timeout);
    }
  }

  /** What the other side can do; asked once. */
  public QmpIntrospection introspection() throws InterruptedException {
    QmpIntrospection known = introspection;
    if (known == null) {
      known =
          monitor == null
              ? QmpIntrospection.ofGuest(execute(new RawCommand("guest-info")))
              : QmpIntrospection.ofSchema(execute(new RawCommand("query-qmp-schema")));
      introspection = known;
    }
    return known;
  }

  /** Whether the other side has this command with these arguments. */
  public boolean supports(QmpCommand<?> command) throws InterruptedException {
    return introspection().supports(command);
  }

  /** Whether the connection has not ended, as far as is known. */
  public boolean isOpen() {
    return connection.isOpen();
  }

  /** Closes the connection; commands under way fail. The other side goes on. */
  @Override
  public void close() {
    connection.end("it was closed here", null);
    connection.awaitGone();
  }

  @Override
  public String toString() {
    return "QMP " + name;
  }
}
