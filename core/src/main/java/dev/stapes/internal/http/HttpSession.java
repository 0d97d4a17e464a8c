package dev.stapes.internal.http;

import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks servers: follows redirects, waits for slow ones only so long, tries again where that may
 * help, takes no more than is allowed, and ends when the thread is interrupted. For one thread.
 *
 * <p>Errors are {@link StapesException}s whose subject is the address without its query:
 * UNAVAILABLE for a server that cannot be reached, is silent or has trouble; NOT_FOUND, DENIED;
 * INVALID for what is not what it should be; INTERRUPTED.
 */
public final class HttpSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpSession.class);
  private static final Duration TICK = Duration.ofMillis(100);
  private static final Duration CLOSE = Duration.ofSeconds(10);
  private static final String HEAD = "HEAD";

  /** One that asks, two for what the client does behind it. */
  private static final int WORKERS = 3;

  private static final int NOT_IMPLEMENTED = 501;

  private final HttpSettings settings;
  private final ExecutorService workers;
  private final HttpClient client;

  /** Nobody is asked yet. */
  public HttpSession(HttpSettings settings) {
    this.settings = settings;
    this.workers =
        Executors.newFixedThreadPool(
            WORKERS,
            task -> {
              Thread thread = new Thread(task, "stapes-http");
              thread.setDaemon(true);
              return thread;
            });
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.connect())
            .proxy(settings.proxies())
            .executor(workers)
            .build();
  }

  /**
   * Asks for something small.
   *
   * @param most bytes that it may have
   * @return status 200, or 304 where the query is conditional
   */
  public Answer get(HttpQuery query, int most) {
    return persist(query, () -> getOnce(query, most));
  }

  private Answer getOnce(HttpQuery query, int most) throws HttpFailure, IOException {
    Memory memory = new Memory();
    try (Sink sink = new Sink(memory, most)) {
      HttpResponse<Long> response =
          ask(
              query,
              info ->
                  info.statusCode() == HttpFailure.OK
                      ? sink.from(0)
                      : BodySubscribers.replacing(0L),
              sink,
              bytes -> {});
      int status = response.statusCode();
      boolean unchanged = status == HttpFailure.NOT_MODIFIED && query.isConditional();
      if (status != HttpFailure.OK && !unchanged) {
        throw HttpFailure.status(status, RetryAfter.of(response.headers()));
      }
      return new Answer(response.uri(), status, response.headers(), memory.bytes.toByteArray());
    }
  }

  /**
   * Asks what would be answered, without the body. Where the server does not answer that, it says
   * nothing.
   */
  public Optional<Answer> head(HttpQuery query) {
    return persist(
        query,
        () -> {
          try (Sink sink = new Sink(new Memory(), 0)) {
            HttpResponse<Long> response =
                ask(query, HEAD, info -> BodySubscribers.replacing(0L), sink, bytes -> {});
            HttpFailure failure =
                HttpFailure.status(response.statusCode(), RetryAfter.of(response.headers()));
            if (failure.isPassing() && response.statusCode() != NOT_IMPLEMENTED) {
              throw failure;
            }
            return Optional.of(response)
                .filter(found -> found.statusCode() == HttpFailure.OK)
                .map(ok -> new Answer(ok.uri(), HttpFailure.OK, ok.headers(), new byte[0]));
          }
        });
  }

  /** One try of something that keeps what it gets in memory. */
  private interface Try<T> {
    T run() throws HttpFailure, IOException;
  }

  private <T> T persist(HttpQuery query, Try<T> once) {
    Attempts attempts = new Attempts(settings);
    while (true) {
      try {
        return once.run();
      } catch (HttpFailure e) {
        pause(query.uri(), attempts.next(query.uri(), e));
      } catch (IOException e) {
        throw new IllegalStateException("memory cannot be written", e);
      }
    }
  }

  private static final class Memory implements Sink.Target {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public void begin(long at) {
      bytes.reset();
    }

    @Override
    public void write(ByteBuffer buffer) {
      byte[] chunk = new byte[buffer.remaining()];
      buffer.get(chunk);
      bytes.writeBytes(chunk);
    }
  }

  /**
   * Brings a file. What is there of it already is not asked for again where its SHA-256 is known;
   * what has come stays when this fails, but what turned out to be wrong.
   *
   * @param file appears, or goes on
   * @throws IOException where the file cannot be written
   */
  public void download(HttpQuery query, Path file, Expected expected, Progress progress)
      throws IOException {
    try (Download download = new Download(this, query, file, expected, progress)) {
      Attempts attempts = new Attempts(settings);
      while (true) {
        try {
          download.attempt();
          return;
        } catch (HttpFailure e) {
          if (download.hasGained()) {
            attempts.begin();
          }
          pause(query.uri(), attempts.next(query.uri(), e));
        }
      }
    }
  }

  /**
   * Asks once, as far as redirects and questions for credentials lead.
   *
   * @param sink where the handler lets the body go
   * @param seen is told how many bytes have come, now and then
   */
  HttpResponse<Long> ask(HttpQuery query, BodyHandler<Long> handler, Sink sink, LongConsumer seen)
      throws HttpFailure, IOException {
    return ask(query, "GET", handler, sink, seen);
  }

  private HttpResponse<Long> ask(
      HttpQuery query, String method, BodyHandler<Long> handler, Sink sink, LongConsumer seen)
      throws HttpFailure, IOException {
    URI uri = query.uri();
    boolean answered = false;
    for (int hops = 0; hops <= settings.redirects(); ) {
      HttpResponse<Long> response = await(request(query, method, uri), handler, sink, seen);
      if (response.statusCode() == HttpFailure.UNAUTHORIZED && !answered) {
        String challenge = response.headers().firstValue("WWW-Authenticate").orElse("");
        answered = query.credentials().answer(uri, challenge);
        if (answered) {
          continue;
        }
      }
      Optional<URI> next = Redirects.of(response);
      if (next.isEmpty()) {
        return response;
      }
      uri = next.get();
      hops++;
    }
    throw HttpFailure.lasting(
        Kind.UNAVAILABLE, "redirects lead on after " + settings.redirects() + " of them");
  }

  private static HttpRequest request(HttpQuery query, String method, URI uri) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.noBody());
    request.setHeader("User-Agent", "stapes");
    query.headers().forEach(request::setHeader);
    query.credentials().headers(uri).forEach(request::setHeader);
    query
        .credentials()
        .authorization(uri)
        .ifPresent(value -> request.setHeader("Authorization", value));
    return request.build();
  }

  private HttpResponse<Long> await(
      HttpRequest request, BodyHandler<Long> handler, Sink sink, LongConsumer seen)
      throws HttpFailure, IOException {
    // Not sendAsync, whose answer goes through the common pool, on which all threads may wait here.
    Future<HttpResponse<Long>> answer = workers.submit(() -> client.send(request, handler));
    long last = sink.written();
    long since = System.nanoTime();
    while (true) {
      try {
        return answer.get(TICK.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        long now = sink.written();
        if (now != last) {
          last = now;
          since = System.nanoTime();
          seen.accept(now);
        } else if (System.nanoTime() - since > settings.silence().toNanos()) {
          answer.cancel(true);
          throw HttpFailure.passing(
              "the server says nothing for " + settings.silence().toMillis() + " ms", e);
        }
      } catch (InterruptedException e) {
        answer.cancel(true);
        throw interrupted(request.uri(), e);
      } catch (ExecutionException e) {
        throw Reasons.of(e);
      }
    }
  }

  private static void pause(URI uri, Duration length) {
    LOG.info("{}: tries again in {} ms", HttpFailure.subject(uri), length.toMillis());
    long end = System.nanoTime() + length.toNanos();
    for (long left = length.toNanos(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        throw interrupted(uri, new InterruptedException("while it waited to try again"));
      }
    }
  }

  /** For the caller, whose thread stays interrupted. */
  static StapesException interrupted(URI uri, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new StapesException(
        Kind.INTERRUPTED, HttpFailure.subject(uri), "the request was interrupted", e);
  }

  /** Ends the threads. On Java 17 the client's own ends a moment after this is forgotten. */
  @Override
  public void close() {
    try {
      if (client instanceof AutoCloseable closeable) { // since Java 21
        closeable.close();
      }
    } catch (Exception e) {
      throw new IllegalStateException("the HTTP client cannot be closed", e);
    } finally {
      workers.shutdownNow();
      join();
    }
  }

  /** Also while the thread is interrupted: the threads have nothing left to do. */
  private void join() {
    boolean interrupted = Thread.interrupted();
    long end = System.nanoTime() + CLOSE.toNanos();
    boolean ended = false;
    for (long left = CLOSE.toNanos(); left > 0 && !ended; left = end - System.nanoTime()) {
      try {
        ended = workers.awaitTermination(left, TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (!ended) {
      LOG.warn("threads of the HTTP client do not end");
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
