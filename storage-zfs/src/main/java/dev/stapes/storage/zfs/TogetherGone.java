package dev.stapes.storage.zfs;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.StapesException;
import dev.stapes.spi.VolumeId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Destroys snapshots together, which takes one transaction group, and not one for each. */
final class TogetherGone {
  private static final Logger LOG = LoggerFactory.getLogger(TogetherGone.class);

  /** Where more are refused most of them have clones, and are renamed as before. */
  private static final int MOST_REFUSALS = 20;

  private final String subject;
  private final ZfsPool pool;
  private final Zfs zfs;
  private final ZfsCalls calls;

  TogetherGone(String subject, ZfsPool pool, Zfs zfs, ZfsCalls calls) {
    this.subject = subject;
    this.pool = pool;
    this.zfs = zfs;
    this.calls = calls;
  }

  /** Destroys those of some volumes that can be, and says which are left: whatever went wrong. */
  Set<VolumeId> rest(Collection<VolumeId> ids) {
    Set<VolumeId> rest = new LinkedHashSet<>(ids);
    try {
      destroy(rest);
    } catch (StapesException e) {
      LOG.debug("{}: one by one: {}", subject, e.getMessage());
    }
    return rest;
  }

  /** Halves those that are refused: one of them is in use, or was cloned. */
  private void destroy(Set<VolumeId> rest) {
    Deque<List<VolumeId>> parts = new ArrayDeque<>();
    parts.push(pool.pass(known -> rest.stream().filter(id -> isSnapshot(known, id)).toList()));
    int refusals = 0;
    while (!parts.isEmpty() && refusals < MOST_REFUSALS) {
      List<VolumeId> part = parts.pop();
      if (part.size() > 1) {
        int error = pool.pass(known -> destroy(known, part));
        if (error == 0) {
          part.forEach(rest::remove);
        } else if (error == Errno.EBUSY || error == Errno.EEXIST) {
          refusals++;
          parts.push(part.subList(part.size() / 2, part.size()));
          parts.push(part.subList(0, part.size() / 2));
        } else {
          return;
        }
      }
    }
  }

  private static boolean isSnapshot(VolumeIndex known, VolumeId id) {
    return known.find(id).filter(Place::isSnapshot).isPresent();
  }

  /** What is not there does not matter to the call: so the index has to be right. */
  private int destroy(VolumeIndex known, List<VolumeId> part) {
    long before = known.doubts();
    List<Place> places =
        part.stream().flatMap(id -> known.find(id).stream()).filter(Place::isSnapshot).toList();
    if (places.size() < part.size()) {
      return Errno.ENOENT;
    }
    int error = zfs.destroyTogether(calls, places);
    if (error == 0) {
      if (known.isStale() || known.doubts() != before) {
        return Errno.ENOENT;
      }
      part.forEach(known::remove);
    }
    return error;
  }
}
