package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Incus at its best: over one kept-alive connection, each operation awaited, without the hooks of
 * LXCFS.
 */
final class IncusRest implements Subject {
  private static final int SUCCESS = 200;

  /** The daemon closes connections that are idle for longer than half a minute. */
  private static final long LONGEST_IDLE = TimeUnit.SECONDS.toNanos(10);

  private final Incusd daemon;
  private UnixHttp http;
  private long lastUse = System.nanoTime();
  private final ObjectMapper json = new ObjectMapper();

  IncusRest(Incusd daemon) throws IOException {
    this.daemon = daemon;
    this.http = UnixHttp.connect(daemon.socket());
  }

  @Override
  public String name() {
    return "incus-rest";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    return Map.of(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
  }

  @Override
  public Container create(String name) throws IOException {
    return create(name, false);
  }

  private Container create(String name, boolean started) throws IOException {
    Map<String, String> image = Map.of("type", "image", "alias", "image");
    operate(
        "POST",
        "/1.0/instances",
        Map.of("name", name, "type", "container", "source", image, "start", started));
    return new Instance(name, started);
  }

  /** It can create and start in one request. */
  @Override
  public void cycle(String name) throws IOException, InterruptedException {
    Container container = create(name, true);
    try {
      container.execTrue();
    } finally {
      container.delete();
    }
  }

  private JsonNode operate(String method, String target, Object body) throws IOException {
    JsonNode begun = request(method, target, body);
    String wait = begun.path("operation").asText() + "/wait?timeout=60";
    JsonNode ended = request("GET", wait, Optional.empty()).path("metadata");
    if (ended.path("status_code").asInt() != SUCCESS) {
      throw new IOException(method + " " + target + ": " + ended);
    }
    return ended;
  }

  private JsonNode request(String method, String target, Object body) throws IOException {
    if (System.nanoTime() - lastUse > LONGEST_IDLE) {
      http.close(); // the daemon is about to, or did
      http = UnixHttp.connect(daemon.socket());
    }
    byte[] sent = body.equals(Optional.empty()) ? new byte[0] : json.writeValueAsBytes(body);
    JsonNode answer = json.readTree(http.request(method, target, sent));
    lastUse = System.nanoTime();
    if (answer.path("type").asText().equals("error")) {
      throw new IOException(method + " " + target + ": " + answer);
    }
    return answer;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    try (daemon) {
      http.close();
    }
  }

  private final class Instance implements Container, Container.CopyOnWrite {
    private final String name;
    private final String target;
    private boolean running;

    Instance(String name, boolean running) {
      this.name = name;
      this.running = running;
      this.target = "/1.0/instances/" + name;
    }

    @Override
    public void start() throws IOException {
      operate("PUT", target + "/state", Map.of("action", "start", "timeout", -1));
      running = true;
    }

    @Override
    public void execTrue() throws IOException {
      JsonNode ended =
          operate(
              "POST",
              target + "/exec",
              Map.of(
                  "command",
                  new String[] {"true"},
                  "wait-for-websocket",
                  false,
                  "record-output",
                  false,
                  "interactive",
                  false));
      if (ended.path("metadata").path("return").asInt(-1) != 0) {
        throw new IOException("exec in " + name + ": " + ended);
      }
    }

    @Override
    public void stop() throws IOException {
      operate("PUT", target + "/state", Map.of("action", "stop", "force", true, "timeout", -1));
      running = false;
    }

    /** A running one cannot be deleted in one request. */
    @Override
    public void delete() throws IOException {
      if (running) {
        stop();
      }
      operate("DELETE", target, Optional.empty());
    }

    @Override
    public Optional<CopyOnWrite> copyOnWrite() {
      return Optional.of(this);
    }

    @Override
    public void snapshot(String snapshot) throws IOException {
      operate("POST", target + "/snapshots", Map.of("name", snapshot));
    }

    @Override
    public void deleteSnapshot(String snapshot) throws IOException {
      operate("DELETE", target + "/snapshots/" + snapshot, Optional.empty());
    }

    @Override
    public void restore(String snapshot) throws IOException {
      operate("PUT", target, Map.of("restore", snapshot));
    }

    @Override
    public Container copyTo(String copy) throws IOException {
      Map<String, Object> source = Map.of("type", "copy", "source", name, "instance_only", true);
      operate(
          "POST", "/1.0/instances", Map.of("name", copy, "type", "container", "source", source));
      return new Instance(copy, false);
    }
  }
}
