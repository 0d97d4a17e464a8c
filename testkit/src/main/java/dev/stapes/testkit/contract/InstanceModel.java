package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Machine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Two instances as a status and a count of lines each, beside the real ones. */
final class InstanceModel {
  private final InstanceBench bench;
  private final Map<String, InstanceStatus> statuses = new TreeMap<>();
  private final Map<String, Integer> lines = new TreeMap<>();
  private final Map<String, Machine> machines = new HashMap<>();

  InstanceModel(InstanceBench bench) {
    this.bench = bench;
    for (String id : List.of("aaaa", "bbbb")) {
      statuses.put(id, InstanceStatus.STOPPED);
      lines.put(id, 0);
      spec(id);
    }
  }

  /** Does a step where the model says that it makes sense, and compares both. */
  void run(InstanceAction action) throws Exception {
    String id = action.id();
    InstanceStatus status = statuses.getOrDefault(id, InstanceStatus.STOPPED);
    Machine machine = machines.get(id);
    switch (action.verb()) {
      case REOPEN -> reopen();
      case COLLECT -> collect(id);
      case START -> {
        if (machine == null) {
          machines.put(id, bench.driver().start(spec(id)));
          statuses.put(id, InstanceStatus.RUNNING);
        }
      }
      default -> {
        if (machine != null) {
          withRunning(action.verb(), id, machine, status);
        }
      }
    }
    compare(action);
  }

  private void withRunning(
      InstanceAction.Verb verb, String id, Machine machine, InstanceStatus status)
      throws Exception {
    boolean runs = status == InstanceStatus.RUNNING;
    switch (verb) {
      case FREEZE -> {
        machine.freeze();
        statuses.put(id, InstanceStatus.FROZEN);
      }
      case UNFREEZE -> {
        machine.unfreeze();
        statuses.put(id, InstanceStatus.RUNNING);
      }
      case KILL -> {
        machine.kill();
        ended(id, machine);
      }
      case SHUTDOWN -> {
        if (runs) {
          machine.requestShutdown();
          ended(id, machine);
        }
      }
      case EXEC -> {
        if (runs) {
          Guest.Result result = Guest.run(machine, "sh", "-c", "echo line >>/home/lines; sync");
          assertEquals(new Guest.Result(0, "", ""), result);
          lines.merge(id, 1, Integer::sum);
        }
      }
      default -> throw new IllegalArgumentException(verb.toString());
    }
  }

  private void ended(String id, Machine machine) throws Exception {
    Guest.end(machine);
    statuses.put(id, InstanceStatus.STOPPED);
    machines.remove(id);
  }

  private void collect(String keep) throws Exception {
    bench.driver().collect(Set.of(new InstanceId(keep)));
    for (String id : List.copyOf(machines.keySet())) {
      Machine machine = machines.get(id);
      if (!id.equals(keep) && machine != null) {
        ended(id, machine);
      }
    }
  }

  private void reopen() {
    bench.reopen();
    for (String id : List.copyOf(machines.keySet())) {
      machines.put(id, bench.driver().adopt(spec(id)).orElseThrow());
    }
  }

  private void compare(InstanceAction action) throws Exception {
    for (Map.Entry<String, InstanceStatus> each : statuses.entrySet()) {
      String id = each.getKey();
      Machine machine = machines.get(id);
      if (machine == null) {
        assertEquals(Optional.empty(), bench.driver().adopt(spec(id)), () -> id + " " + action);
        continue;
      }
      assertEquals(each.getValue(), machine.state().status(), () -> id + " after " + action);
      if (each.getValue() == InstanceStatus.RUNNING) {
        String text = "line\n".repeat(lines.getOrDefault(id, 0));
        String actual = Guest.run(machine, "sh", "-c", "cat /home/lines 2>/dev/null").out();
        assertEquals(text, actual, () -> "lines of " + id + " after " + action);
      }
    }
  }

  private Machine.Spec spec(String id) {
    return bench.spec(id, Lifetime.DURABLE, Map.of());
  }
}
