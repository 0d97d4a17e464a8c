package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.benchmarks.IncusConnection;
import dev.stapes.benchmarks.Incusd;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/**
 * Incus at its best: over one kept-alive connection, each operation awaited, without the hooks of
 * LXCFS.
 */
final class IncusRest implements Subject {
  private final Incusd daemon;
  private final IncusConnection api;

  IncusRest(Incusd daemon) {
    this.daemon = daemon;
    this.api = new IncusConnection(daemon);
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
    api.operate(
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

  @Override
  public void close() throws IOException, InterruptedException {
    try (daemon) {
      api.close();
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
      api.operate("PUT", target + "/state", Map.of("action", "start", "timeout", -1));
      running = true;
    }

    @Override
    public void execTrue() throws IOException {
      JsonNode ended =
          api.operate(
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
      api.operate("PUT", target + "/state", Map.of("action", "stop", "force", true, "timeout", -1));
      running = false;
    }

    /** A running one cannot be deleted in one request. */
    @Override
    public void delete() throws IOException {
      if (running) {
        stop();
      }
      api.operate("DELETE", target, Optional.empty());
    }

    @Override
    public Optional<CopyOnWrite> copyOnWrite() {
      return Optional.of(this);
    }

    @Override
    public void snapshot(String snapshot) throws IOException {
      api.operate("POST", target + "/snapshots", Map.of("name", snapshot));
    }

    @Override
    public void deleteSnapshot(String snapshot) throws IOException {
      api.operate("DELETE", target + "/snapshots/" + snapshot, Optional.empty());
    }

    @Override
    public void restore(String snapshot) throws IOException {
      api.operate("PUT", target, Map.of("restore", snapshot));
    }

    @Override
    public Container copyTo(String copy) throws IOException {
      Map<String, Object> source = Map.of("type", "copy", "source", name, "instance_only", true);
      api.operate(
          "POST", "/1.0/instances", Map.of("name", copy, "type", "container", "source", source));
      return new Instance(copy, false);
    }
  }
}
