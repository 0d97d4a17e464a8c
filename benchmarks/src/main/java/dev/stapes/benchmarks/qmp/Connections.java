package dev.stapes.benchmarks.qmp;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.stapes.linux.Spawner;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.qemu.QemuEvent;
import dev.stapes.qmp.qemu.QueryStatus;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What connections to many QEMUs cost in this JVM. */
final class Connections {
  private static final QmpDialect DIALECT = QmpDialect.monitor().events(QemuEvent::from);
  private static final int COLLECTIONS = 4;

  private Connections() {}

  /**
   * How much.
   *
   * @param machines QEMUs that were connected
   * @param heapBytes of each, on the heap, after it was collected
   * @param threads of all of them together
   */
  record Cost(int machines, @JsonProperty("heap_bytes") long heapBytes, int threads) {}

  /** Connects to so many, gives each a listener and a command, and compares. */
  static Cost measure(Spawner spawner, Path program, Path directory, int machines)
      throws IOException, InterruptedException {
    List<Qemu> running = new ArrayList<>();
    try {
      for (int i = 0; i <= machines; i++) {
        Path own = Files.createDirectories(directory.resolve("vm" + i));
        running.add(Qemu.start(spawner, program, own, 1));
      }
      return connect(running);
    } finally {
      for (Qemu qemu : running) {
        qemu.close();
      }
    }
  }

  private static Cost connect(List<Qemu> running) throws InterruptedException {
    int threads = threads();
    List<QmpClient> clients = new ArrayList<>();
    try (QmpLoop loop = QmpLoop.open()) {
      // The first one brings what all share.
      clients.add(client(loop, running.get(0)));
      long before = heap();
      for (Qemu qemu : running.subList(1, running.size())) {
        clients.add(client(loop, qemu));
      }
      long each = (heap() - before) / (running.size() - 1);
      int more = threads() - threads;
      clients.forEach(QmpClient::close);
      return new Cost(running.size() - 1, each, more);
    }
  }

  private static QmpClient client(QmpLoop loop, Qemu qemu) throws InterruptedException {
    QmpClient client = QmpClient.connect(loop, qemu.monitor(0), DIALECT, QmpOptions.defaults());
    client.subscribe(QmpEvent.class, event -> {});
    client.execute(QueryStatus.of());
    return client;
  }

  private static int threads() {
    return ManagementFactory.getThreadMXBean().getThreadCount();
  }

  private static long heap() {
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    for (int i = 0; i < COLLECTIONS; i++) {
      memory.gc();
    }
    return memory.getHeapMemoryUsage().getUsed();
  }
}
