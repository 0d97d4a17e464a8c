package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Incusd;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** Incus as its packages leave it: the command line client, and the hooks of LXCFS. */
final class IncusCli implements Subject {
  private final Incusd daemon;
  private final Tool incus;

  IncusCli(Incusd daemon) {
    this.daemon = daemon;
    this.incus = daemon.client();
  }

  @Override
  public String name() {
    return "incus-cli";
  }

  @Override
  public Map<LifecyclePath, String> leftOut() {
    return Map.of(LifecyclePath.CYCLE_WARM_POOL, "has no warm pool");
  }

  @Override
  public Container create(String name) throws IOException, InterruptedException {
    incus.run("init", "image", name);
    return new Instance(name);
  }

  /** It can create and start in one command. */
  @Override
  public void cycle(String name) throws IOException, InterruptedException {
    Instance container = new Instance(name);
    incus.run("launch", "image", name);
    try {
      container.execTrue();
    } finally {
      container.delete();
    }
  }

  @Override
  public void close() throws InterruptedException {
    daemon.close();
  }

  private final class Instance implements Container, Container.CopyOnWrite {
    private final String name;

    Instance(String name) {
      this.name = name;
    }

    @Override
    public void start() throws IOException, InterruptedException {
      incus.run("start", name);
    }

    @Override
    public void execTrue() throws IOException, InterruptedException {
      incus.run("exec", name, "--", "true");
    }

    @Override
    public void stop() throws IOException, InterruptedException {
      incus.run("stop", "-f", name);
    }

    @Override
    public void delete() throws IOException, InterruptedException {
      incus.run("delete", "-f", name);
    }

    @Override
    public Optional<CopyOnWrite> copyOnWrite() {
      return Optional.of(this);
    }

    @Override
    public void snapshot(String snapshot) throws IOException, InterruptedException {
      incus.run("snapshot", "create", name, snapshot);
    }

    @Override
    public void deleteSnapshot(String snapshot) throws IOException, InterruptedException {
      incus.run("snapshot", "delete", name, snapshot);
    }

    @Override
    public void restore(String snapshot) throws IOException, InterruptedException {
      incus.run("snapshot", "restore", name, snapshot);
    }

    @Override
    public Container copyTo(String copy) throws IOException, InterruptedException {
      incus.run("copy", "--instance-only", name, copy);
      return new Instance(copy);
    }
  }
}
