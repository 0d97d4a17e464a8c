package dev.stapes.storage.zfs;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Calls that do what the commands of a machine do. */
final class FakeCalls implements ZfsCalls {
  private static final int EIO = 5;
  private static final int EEXIST = 17;

  /** Their names, and how many snapshots were not destroyed, as they came. */
  final List<String> called = Collections.synchronizedList(new ArrayList<>());

  /** Whether all of them fail. */
  volatile boolean broken;

  private final Zfs programs;

  FakeCalls(Host host) {
    this.programs = FakeZfs.programs(host);
  }

  @Override
  public int clone(String snapshot, String dataset) {
    return call("clone", () -> programs.clone(place(snapshot), place(dataset).dataset()));
  }

  @Override
  public int rename(String from, String to) {
    return call("rename", () -> programs.rename(place(from), place(to)));
  }

  @Override
  public int snapshot(List<String> names) {
    return call("snapshot", () -> programs.snapshot(names.stream().map(FakeCalls::place).toList()));
  }

  @Override
  public int destroy(String dataset) {
    return call("destroy", () -> programs.destroy(place(dataset).dataset()));
  }

  @Override
  public int destroySnapshots(List<String> names, boolean deferred) {
    Set<String> origins =
        programs.entries(place("tank").dataset()).stream()
            .map(Entry::origin)
            .collect(Collectors.toSet());
    if (!deferred && !Collections.disjoint(origins, names)) {
      called.add("refused " + names.size());
      return EEXIST;
    }
    return call("destroySnapshots", () -> names.forEach(this::destroySnapshot));
  }

  private void destroySnapshot(String name) {
    programs.destroySnapshots(place(name).dataset(), List.of(place(name).snapshot()));
  }

  static Place place(String name) {
    return Place.parse(name).orElseThrow();
  }

  private int call(String name, Runnable work) {
    called.add(name);
    if (broken) {
      return EIO;
    }
    try {
      work.run();
      return 0;
    } catch (StapesException e) {
      return EIO;
    }
  }
}
