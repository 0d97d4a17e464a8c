package dev.stapes.linux.cgroup;

import java.util.List;
import java.util.Optional;

/** What the translation of limits asks about the group that they are for. */
interface GroupView {

  /** Returns the hierarchy whose files set this limit, or why there is none. */
  Place place(Limit limit);

  /** Tells whether the group has the file. */
  boolean has(Hierarchy hierarchy, String file);

  /** Returns what the file says, stripped; nothing for a group that is yet to be made. */
  Optional<String> read(Hierarchy hierarchy, String file);

  /** Returns what the file of the parent group says, stripped. */
  Optional<String> readParent(Hierarchy hierarchy, String file);

  /**
   * Tells whether the group exists: then what is not limited is written too, to undo what may be
   * there.
   */
  boolean running();

  /**
   * Returns the names of the groups within, each after the one it is in; none for one yet to be
   * made.
   */
  List<String> descendants(Hierarchy hierarchy);

  /** Returns the same view of a group within. */
  GroupView descendant(String name);

  /** Returns the setting of a file of this group. */
  Setting setting(Limit limit, Hierarchy hierarchy, String file, String value);

  /** Either a hierarchy or the reason that there is none. */
  record Place(Optional<Hierarchy> hierarchy, String why) {
    static Place of(Hierarchy hierarchy) {
      return new Place(Optional.of(hierarchy), "");
    }

    static Place none(String why) {
      return new Place(Optional.empty(), why);
    }
  }
}
