package dev.stapes.storage.zfs;

import dev.stapes.spi.VolumeId;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * How volumes are called: {@code <kind>:<name>} is a component both of datasets and of snapshots.
 * What is thrown away, or only needed for a moment, is called {@code gone:<uuid>}. What came of a
 * stream that broke is {@code part:<kind>:<name>}; it is gone, too, once nothing is missing.
 */
final class VolumeNames {
  private static final String GONE = "gone:";
  private static final String UNFINISHED = "part:";

  private final Set<String> inProgress = new HashSet<>();

  /** The component of a volume. */
  static String component(VolumeId id) {
    return id.kind().directory() + ":" + id.name();
  }

  /** The volume of a component; empty for anything else, which is not ours. */
  static Optional<VolumeId> volume(String component) {
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      String prefix = kind.directory() + ":";
      if (component.startsWith(prefix)) {
        String name = component.substring(prefix.length());
        return VolumeId.isName(name) ? Optional.of(new VolumeId(kind, name)) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** A component of what nobody needs any more. */
  static String gone() {
    return GONE + UUID.randomUUID();
  }

  /** Whether it is one of {@link #gone}, or nothing may be needed of it any more. */
  static boolean isGone(String component) {
    return component.startsWith(GONE) || component.startsWith(UNFINISHED);
  }

  /** The component of what came of a stream that is to be a volume. */
  static String unfinished(VolumeId id) {
    return UNFINISHED + component(id);
  }

  /** The volume that it is to be; empty for any other component. */
  static Optional<VolumeId> ofUnfinished(String component) {
    return component.startsWith(UNFINISHED)
        ? volume(component.substring(UNFINISHED.length()))
        : Optional.empty();
  }

  /** One of {@link #gone} that is still needed, until {@link #done}. */
  String begin() {
    String component = gone();
    synchronized (inProgress) {
      inProgress.add(component);
    }
    return component;
  }

  /** Says that one of {@link #begin} is not needed any more. */
  void done(String component) {
    synchronized (inProgress) {
      inProgress.remove(component);
    }
  }

  /**
   * Does something with one of {@link #begin}. Where nobody waits for the end of that any more the
   * name is needed until it comes.
   */
  <T> T during(Function<String, T> work) {
    String component = begin();
    boolean stays = false;
    try {
      return work.apply(component);
    } catch (GivenUp e) {
      stays = true;
      e.afterwards(finished -> done(component));
      throw e;
    } finally {
      if (!stays) {
        done(component);
      }
    }
  }

  /** Those of {@link #begin} that are needed now. */
  Set<String> inProgress() {
    synchronized (inProgress) {
      return Set.copyOf(inProgress);
    }
  }
}
