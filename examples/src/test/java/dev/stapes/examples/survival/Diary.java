package dev.stapes.examples.survival;

import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeSnapshotInfo;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/**
 * What a JVM has done before it died: after each step, the durable state of everything in one line.
 * A step is done wholly or not at all; so what is found after a death is the last line that was
 * written, or what would have been the next one.
 */
final class Diary {
  private static final String MARK = "diary: ";

  private final Stapes stapes;
  private final PrintStream out;

  Diary(Stapes stapes, PrintStream out) {
    this.stapes = stapes;
    this.out = out;
  }

  /** Does something that is one change of the state. */
  void step(Runnable change) {
    change.run();
    out.println(MARK + stateOf(stapes));
    out.flush();
  }

  /** The lines of a diary in the output of a process. */
  static List<String> read(String output) {
    return output.lines().filter(line -> line.startsWith(MARK)).map(Diary::unmarked).toList();
  }

  private static String unmarked(String line) {
    return line.substring(MARK.length());
  }

  /** Everything that is to outlive a JVM, in one line. */
  static String stateOf(Stapes stapes) {
    TreeSet<String> all = new TreeSet<>();
    for (InstanceInfo info : stapes.instances().list()) {
      if (info.lifetime() == Lifetime.DURABLE) {
        Instance instance = stapes.instances().get(info.id());
        all.add(
            String.format(
                Locale.ROOT,
                "instance %s holds %s, snapshots %s",
                info.name(),
                contentOf(instance),
                instance.snapshots().list().stream().map(SnapshotInfo::name).toList()));
      }
    }
    for (PoolInfo pool : stapes.pools().list()) {
      all.add(
          String.format(
              Locale.ROOT,
              "pool %s, volumes %s",
              pool.name(),
              volumesOf(stapes.pools().get(pool.name()))));
    }
    for (ImageInfo image : stapes.images().list()) {
      all.add("image " + new TreeSet<>(image.aliases()));
    }
    return String.join("; ", all);
  }

  private static List<String> volumesOf(Pool pool) {
    return pool.volumes().list().stream()
        .map(VolumeInfo::name)
        .map(
            name ->
                name
                    + " with "
                    + pool.volumes().get(name).snapshots().list().stream()
                        .map(VolumeSnapshotInfo::name)
                        .toList())
        .toList();
  }

  /** What an instance holds in the one file that lives write to. */
  static String contentOf(Instance instance) {
    if (instance.info().type() == InstanceType.VIRTUAL_MACHINE) {
      return instance.info().stateful() ? "a disk and its memory" : "a disk";
    }
    try {
      return instance.files().readText(Life.FILE).strip();
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return "nothing";
      }
      throw e;
    }
  }
}
