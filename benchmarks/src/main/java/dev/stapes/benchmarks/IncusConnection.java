package dev.stapes.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A kept-alive connection to the REST API of an Incus daemon, for one thread. It is made by the
 * first request: one that says nothing keeps the daemon from answering anybody else.
 */
public final class IncusConnection implements AutoCloseable {
  private static final int SUCCESS = 200;

  /** The daemon closes connections that are idle for longer than half a minute. */
  private static final long LONGEST_IDLE = TimeUnit.SECONDS.toNanos(10);

  private final Incusd daemon;
  private final ObjectMapper json = new ObjectMapper();
  private @Nullable UnixHttp connection;
  private long lastUse = System.nanoTime();

  /** To a daemon that answers. */
  public IncusConnection(Incusd daemon) {
    this.daemon = daemon;
  }

  /**
   * Begins an operation and awaits its end.
   *
   * @param body what JSON is made of; {@code Optional.empty()} for none
   */
  public JsonNode operate(String method, String target, Object body) throws IOException {
    JsonNode begun = request(method, target, body);
    String wait = begun.path("operation").asText() + "/wait?timeout=60";
    JsonNode ended = request("GET", wait, Optional.empty()).path("metadata");
    if (ended.path("status_code").asInt() != SUCCESS) {
      throw new IOException(method + " " + target + ": " + ended);
    }
    return ended;
  }

  private JsonNode request(String method, String target, Object body) throws IOException {
    byte[] sent = body.equals(Optional.empty()) ? new byte[0] : json.writeValueAsBytes(body);
    JsonNode answer = json.readTree(connected().request(method, target, sent));
    lastUse = System.nanoTime();
    if (answer.path("type").asText().equals("error")) {
      throw new IOException(method + " " + target + ": " + answer);
    }
    return answer;
  }

  private UnixHttp connected() throws IOException {
    if (System.nanoTime() - lastUse > LONGEST_IDLE) {
      close(); // the daemon is about to, or did
    }
    UnixHttp there = connection;
    if (there == null) {
      there = UnixHttp.connect(daemon.socket());
      connection = there;
    }
    return there;
  }

  @Override
  public void close() throws IOException {
    if (connection != null) {
      connection.close();
      connection = null;
    }
  }
}
