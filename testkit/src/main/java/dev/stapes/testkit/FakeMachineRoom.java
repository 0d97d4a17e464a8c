package dev.stapes.testkit;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Where fake instances run. It stands outside the drivers, as a kernel does: a driver that is
 * closed, or forgotten as with a JVM that was killed, leaves its durable instances here, and
 * another one adopts them.
 */
public final class FakeMachineRoom {
  private final Map<Place, FakeRunning> machines = new ConcurrentHashMap<>();

  /** The scope's tag and the instance. */
  private record Place(String tag, InstanceId id) {}

  private FakeMachineRoom() {}

  /** An empty one. */
  public static FakeMachineRoom create() {
    return new FakeMachineRoom();
  }

  /** The instances that run, of all scopes. */
  public Set<InstanceId> running() {
    return machines.values().stream()
        .filter(machine -> !machine.isOver()) // one that has just ended may still be on the list
        .map(machine -> machine.spec().id())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Has something happen to an instance by itself; nothing where none runs. */
  public void tell(InstanceId id, Machine.Incident incident) {
    machines.forEach(
        (place, machine) -> {
          if (place.id.equals(id)) {
            machine.tell(incident);
          }
        });
  }

  /** Ends an instance from inside, as if its first process had ended; nothing where none runs. */
  public void end(InstanceId id, Machine.Exit how) {
    machines.forEach(
        (place, machine) -> {
          if (place.id.equals(id)) {
            machine.end(how);
          }
        });
  }

  /**
   * What the kernel does when the JVM is killed: throwaway instances die, the others go on. Forget
   * the drivers then, do not close them.
   */
  public void killJvm() {
    machines.values().stream()
        .filter(machine -> machine.spec().lifetime() == Lifetime.THROWAWAY)
        .forEach(FakeRunning::kill);
  }

  void add(String tag, FakeRunning machine) {
    Place place = new Place(tag, machine.spec().id());
    machines.put(place, machine);
    machine.exit().thenRun(() -> machines.remove(place, machine));
  }

  /** The disks that a running instance has beside its root disk, by the names of its devices. */
  public Map<String, Machine.Disk> disks(InstanceId id) {
    return spec(id).disks();
  }

  /** The root disk that a running instance has. */
  public Machine.Disk root(InstanceId id) {
    return spec(id).root();
  }

  private Machine.Spec spec(InstanceId id) {
    return machines.values().stream()
        .map(FakeRunning::spec)
        .filter(spec -> spec.id().equals(id))
        .findFirst()
        .orElseThrow(() -> StapesException.notFound("instance " + id));
  }

  Optional<FakeRunning> find(String tag, InstanceId id) {
    return Optional.ofNullable(machines.get(new Place(tag, id))).filter(found -> !found.isOver());
  }

  List<FakeRunning> all(String tag) {
    return machines.entrySet().stream()
        .filter(entry -> entry.getKey().tag.equals(tag))
        .map(Map.Entry::getValue)
        .toList();
  }
}
