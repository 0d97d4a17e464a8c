package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.ObjectPropertyInfo;
import dev.stapes.qmp.qemu.QomList;
import java.util.Comparator;
import java.util.List;

/** The root ports of a machine into which devices are plugged while it runs. */
final class PciSlots {
  /** What the ids of the ports begin with; a number follows. */
  static final String NAME = "slot";

  private static final String PLUGGED = "/machine/peripheral";
  private static final String CHILD = "child[";

  private final String subject;
  private final Monitor monitor;

  PciSlots(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
  }

  /** Whether it has a device of this id. */
  boolean holds(String device) {
    return names(PLUGGED).contains(device);
  }

  /**
   * The id of a port that is free.
   *
   * @throws StapesException EXHAUSTED where none is
   */
  String free() {
    List<String> all =
        names(PLUGGED).stream()
            .filter(name -> name.matches(NAME + "\\d+"))
            .sorted(Comparator.comparingInt(String::length).thenComparing(name -> name))
            .toList();
    return all.stream()
        .filter(this::isFree)
        .findFirst()
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.EXHAUSTED,
                    subject,
                    "all its " + all.size() + " slots are in use: a restart gives it new ones"));
  }

  /** The bus of a port has its name, and what is plugged into it as its children. */
  private boolean isFree(String slot) {
    return names(PLUGGED + "/" + slot + "/" + slot).stream()
        .noneMatch(name -> name.startsWith(CHILD));
  }

  private List<String> names(String path) {
    return monitor.execute(QomList.of(path)).stream().map(ObjectPropertyInfo::name).toList();
  }
}
