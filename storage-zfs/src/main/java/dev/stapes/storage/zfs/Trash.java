package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.zfs.Reclamation.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Frees the space of what is gone. What somebody still uses is left for the next time. */
final class Trash {
  private static final Logger LOG = LoggerFactory.getLogger(Trash.class);

  /** How long the space of what was destroyed is waited for. */
  private static final Duration FREEING_PATIENCE = Duration.ofSeconds(10);

  /** More than any chain of clones is long; so this has an end, whatever ZFS says. */
  private static final int MOST_PASSES = 1000;

  private final PoolContext pool;
  private final DatasetName root;
  private final Zfs zfs;
  private final Gate gate;
  private final Claims claims;
  private final Supplier<Set<String>> needed;
  private final ReentrantLock turn = new ReentrantLock();

  /**
   * What can be done now.
   *
   * @param made when the datasets of streams were made, that have the names of volumes that are to
   *     be: two of one name were never made in one transaction group, as each change waits for its
   *     own
   */
  private record Plan(List<Step> steps, Map<DatasetName, Long> made) {
    boolean isEmpty() {
      return steps.isEmpty();
    }
  }

  /** What nobody has written to since: it is gone, and somebody who has it is told of. */
  private final Set<Step> rolledBack = ConcurrentHashMap.newKeySet();

  /**
   * The trash of a pool.
   *
   * @param gate passed for each command, not for all: who wants to be alone waits for one only
   * @param claims held for what may be received into again under the same name
   * @param needed the components that somebody still needs although their names say otherwise
   */
  Trash(
      PoolContext pool,
      DatasetName root,
      Zfs zfs,
      Gate gate,
      Claims claims,
      Supplier<Set<String>> needed) {
    this.pool = pool;
    this.root = root;
    this.zfs = zfs;
    this.gate = gate;
    this.claims = claims;
    this.needed = needed;
  }

  /**
   * Frees what can be freed now, one caller after the other. Goes on after an error, as long as
   * anything else succeeds.
   *
   * @throws StapesException an error that is none of somebody's using it
   */
  void empty() {
    turn.lock();
    try {
      Plan plan = next();
      if (plan.isEmpty()) {
        return;
      }
      List<StapesException> failures = List.of();
      boolean progress = true;
      for (int pass = 0; pass < MOST_PASSES && progress && !plan.isEmpty(); pass++) {
        failures = attempt(plan);
        progress = failures.size() < plan.steps().size();
        plan = progress ? next() : plan;
      }
      awaitFreed();
      tell(plan.isEmpty() ? List.of() : failures);
    } finally {
      turn.unlock();
    }
  }

  private Plan next() {
    return gate.pass(
        "reclaim",
        () -> {
          List<Entry> entries = zfs.entries(root);
          // Afterwards: what was begun since is not among the entries.
          Set<String> stays = new HashSet<>(needed.get());
          stays.addAll(unfinished(entries));
          List<Step> steps = new ArrayList<>(Reclamation.next(root, entries, stays));
          steps.removeAll(rolledBack);
          return new Plan(steps, made(entries));
        });
  }

  private static Map<DatasetName, Long> made(List<Entry> entries) {
    Map<DatasetName, Long> made = new HashMap<>();
    for (Entry entry : entries) {
      DatasetName dataset = entry.place().dataset();
      if (!entry.place().isSnapshot()
          && VolumeNames.ofUnfinished(dataset.component()).isPresent()) {
        made.put(dataset, entry.created());
      }
    }
    return made;
  }

  /**
   * What waits for the rest of a stream. Nobody is asked where nothing is called so; what was
   * forgotten is called otherwise, and has its token still.
   */
  private List<String> unfinished(List<Entry> entries) {
    boolean any =
        entries.stream()
            .map(entry -> entry.place().dataset().component())
            .anyMatch(component -> VolumeNames.ofUnfinished(component).isPresent());
    return any
        ? zfs.unfinished(root).stream()
            .map(DatasetName::component)
            .filter(component -> VolumeNames.ofUnfinished(component).isPresent())
            .toList()
        : List.of();
  }

  /** Takes the steps; the answer is why some could not be taken. */
  private List<StapesException> attempt(Plan plan) {
    return plan.steps().stream().flatMap(step -> attempt(step, plan.made()).stream()).toList();
  }

  private Optional<StapesException> attempt(Step step, Map<DatasetName, Long> made) {
    try {
      Optional<VolumeId> part = part(step);
      if (part.isPresent()) {
        // Where somebody has begun to receive it, it is no trash any more.
        claims.tryHolding(part.get(), () -> gate.pass("reclaim", () -> takeIfStill(step, made)));
      } else {
        gate.pass("reclaim", () -> take(step));
      }
      return Optional.empty();
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      return Optional.of(e);
    }
  }

  /**
   * The volume that somebody may have begun to receive since, under the name that a step is for.
   * Snapshots that are gone have names that nothing else gets.
   */
  private Optional<VolumeId> part(Step step) {
    return step instanceof Step.DropSnapshots
        ? Optional.empty()
        : VolumeIndex.below(root, step.dataset()).flatMap(VolumeNames::ofUnfinished);
  }

  /** What has the name now may be another, or wait for the rest of a stream. */
  private void takeIfStill(Step step, Map<DatasetName, Long> made) {
    Optional<Long> planned = Optional.ofNullable(made.get(step.dataset()));
    if (planned.isPresent() && zfs.madeWhole(step.dataset()).equals(planned)) {
      take(step);
    }
  }

  private void take(Step step) {
    if (step instanceof Step.DropSnapshots drop) {
      drop(drop);
    } else if (step instanceof Step.Rollback rollback) {
      zfs.rollback(rollback.snapshot());
      rolledBack.add(rollback); // of zvols ZFS says ever after that something was written
    } else if (step instanceof Step.Promote promote) {
      promote(promote.dataset());
    } else if (step instanceof Step.Destroy destroy) {
      zfs.destroy(destroy.dataset());
    }
  }

  /** With the snapshots, which a limit may count, too: then they stay where they are. */
  private void promote(DatasetName clone) {
    try {
      zfs.promote(clone);
    } catch (StapesException e) {
      if (e.kind() != Kind.EXHAUSTED) {
        throw e;
      }
      throw pool.failure(Kind.BUSY, "no room for the snapshots of what is gone in " + clone, e);
    }
  }

  /** One snapshot that somebody uses holds back all of a command: then its halves are tried. */
  private void drop(Step.DropSnapshots step) {
    List<String> components = step.components();
    try {
      zfs.destroySnapshots(step.dataset(), components);
    } catch (StapesException e) {
      int half = components.size() / 2;
      if (e.kind() != Kind.BUSY || half == 0) {
        throw e;
      }
      try {
        drop(new Step.DropSnapshots(step.dataset(), components.subList(0, half)));
      } catch (StapesException first) {
        if (first.kind() != Kind.BUSY) {
          throw first;
        }
        LOG.debug("{}", first.getMessage(), first);
      }
      drop(new Step.DropSnapshots(step.dataset(), components.subList(half, components.size())));
    }
  }

  private void tell(List<StapesException> failures) {
    List<StapesException> unexpected = new ArrayList<>();
    for (StapesException failure : failures) {
      if (failure.kind() == Kind.BUSY || failure.kind() == Kind.NOT_FOUND) {
        LOG.info("{}: left for the next time: {}", pool.subject(), failure.getMessage());
      } else {
        unexpected.add(failure);
      }
    }
    if (!unexpected.isEmpty()) {
      StapesException first = unexpected.get(0);
      unexpected.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  private void awaitFreed() {
    try {
      zfs.awaitFreed(root.zpool(), FREEING_PATIENCE);
    } catch (StapesException e) {
      if (e.kind() != Kind.TIMED_OUT) {
        throw e;
      }
      LOG.info("{}: space is still being freed: {}", pool.subject(), e.getMessage());
    }
  }
}
