package dev.stapes.internal.http;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A file on its way, in as many attempts as it takes. */
final class Download implements AutoCloseable {
  private static final String PHASE = "download";
  private static final int CHUNK = 256 << 10;

  /** What must have come to be worth counting the attempts anew. */
  private static final long GAIN = 1 << 20;

  private final HttpSession session;
  private final HttpQuery query;
  private final Expected expected;
  private final Progress progress;

  /** Not opened as a channel: an interrupt of this thread would close it. */
  private final RandomAccessFile file;

  private Optional<String> validator = Optional.empty();
  private boolean resumed;
  private long reached;
  private long best;

  Download(HttpSession session, HttpQuery query, Path file, Expected expected, Progress progress)
      throws IOException {
    this.session = session;
    this.query = query;
    this.expected = expected;
    this.progress = progress;
    this.file = new RandomAccessFile(file.toFile(), "rw");
  }

  /** Whether so much more has come than ever before that it is worth going on. */
  boolean hasGained() {
    boolean gained = reached - best >= GAIN;
    best = gained ? reached : best;
    return gained;
  }

  /** Brings what is missing, and checks the whole. */
  void attempt() throws HttpFailure, IOException {
    boolean same = expected.sha256().isPresent() || validator.isPresent();
    if (!same || file.length() > expected.size().orElse(expected.most())) {
      file.setLength(0);
    }
    resumed = file.length() > 0;
    if (!resumed || expected.size().orElse(-1) != file.length()) {
      bring();
    }
    check();
  }

  private void bring() throws HttpFailure, IOException {
    long begin = file.length();
    HttpQuery rest = begin == 0 ? query : query.with("Range", "bytes=" + begin + "-");
    if (begin > 0 && expected.sha256().isEmpty()) {
      rest = rest.with("If-Range", validator.orElseThrow());
    }
    AtomicReference<@Nullable ResponseInfo> taken = new AtomicReference<>();
    try (Sink sink = new Sink(new Content(), expected.most())) {
      HttpResponse<Long> response =
          session.ask(
              rest,
              info -> {
                boolean whole = info.statusCode() == HttpFailure.OK;
                if (!whole && !isRest(info.statusCode(), info.headers(), begin)) {
                  return BodySubscribers.replacing(0L);
                }
                taken.set(info);
                return sink.from(whole ? 0 : begin);
              },
              sink,
              bytes -> progress.update(PHASE, bytes, expected.size().orElse(-1)));
      judge(response, begin);
    } finally {
      reached = file.length();
      remember(taken.get());
    }
  }

  private void remember(@Nullable ResponseInfo taken) {
    if (taken != null) {
      validator = tag(taken.headers());
      resumed &= taken.statusCode() != HttpFailure.OK;
    }
  }

  /** A strong one: it names these very bytes. */
  private static Optional<String> tag(HttpHeaders headers) {
    return headers.firstValue("ETag").filter(tag -> tag.startsWith("\""));
  }

  private boolean isRest(int status, HttpHeaders headers, long begin) {
    return status == HttpFailure.PARTIAL
        && begin > 0
        && headers.firstValue("Content-Range").orElse("").startsWith("bytes " + begin + "-")
        && (expected.sha256().isPresent() || tag(headers).equals(validator));
  }

  private void judge(HttpResponse<Long> response, long begin) throws HttpFailure, IOException {
    int status = response.statusCode();
    if (status == HttpFailure.OK || isRest(status, response.headers(), begin)) {
      return;
    }
    if (begin == 0 || (status != HttpFailure.RANGE && status != HttpFailure.PARTIAL)) {
      throw HttpFailure.status(status, RetryAfter.of(response.headers()));
    }
    if (status == HttpFailure.PARTIAL || expected.sha256().isEmpty()) {
      throw wrong("the server does not send the rest of it");
    }
  }

  private void check() throws HttpFailure, IOException {
    long size = file.length();
    if (expected.size().isPresent() && size != expected.size().getAsLong()) {
      throw wrong("has " + size + " bytes instead of " + expected.size().getAsLong());
    }
    if (expected.sha256().isPresent()) {
      String digest = digest();
      if (!digest.equals(expected.sha256().get())) {
        throw wrong("has SHA-256 " + digest + " instead of " + expected.sha256().get());
      }
    }
    progress.update(PHASE, size, size);
  }

  /** What was put together from parts may be wrong since one of them was; it is tried whole. */
  private HttpFailure wrong(String reason) throws IOException {
    file.setLength(0);
    return resumed ? HttpFailure.passing(reason, null) : HttpFailure.lasting(Kind.INVALID, reason);
  }

  private String digest() throws IOException {
    MessageDigest sha256 = Sha256.begin();
    byte[] chunk = new byte[CHUNK];
    file.seek(0);
    for (int count = file.read(chunk); count >= 0; count = file.read(chunk)) {
      if (Thread.currentThread().isInterrupted()) {
        throw HttpSession.interrupted(query.uri(), new InterruptedException("while hashing"));
      }
      sha256.update(chunk, 0, count);
    }
    return Sha256.hex(sha256);
  }

  /** Written by threads of the client, which nobody interrupts while they do. */
  private final class Content implements Sink.Target {
    private final FileChannel channel = file.getChannel();

    @Override
    public void begin(long at) throws IOException {
      channel.truncate(at);
      channel.position(at);
    }

    @Override
    public void write(ByteBuffer buffer) throws IOException {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
