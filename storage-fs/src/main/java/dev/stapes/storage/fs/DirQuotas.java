package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.block.ProjectQuota;
import dev.stapes.linux.block.TreeUsage;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Limits by the file system's project quotas: a limited volume is a project of its own. */
final class DirQuotas implements StoragePool.Quotas {
  /** Far from the small numbers that administrators give. */
  private static final int FIRST_PROJECT = 0x2000_0000;

  private static final int ATTEMPTS = 100;

  private final PoolContext pool;
  private final Ids ids;
  private final Gate gate;
  private final ProjectQuota quota;

  DirQuotas(PoolContext pool, Ids ids, Gate gate) {
    this.pool = pool;
    this.ids = ids;
    this.gate = gate;
    this.quota = new ProjectQuota(pool.sys());
  }

  @Override
  public void limit(VolumeId id, Optional<Size> size) {
    gate.pass(
        "limit " + id,
        () -> {
          try (Fd volume = ids.open(id)) {
            int project = quota.projectOf(volume);
            if (project == 0 && size.isPresent()) {
              project = freeProject(volume);
              quota.assign(volume, project);
            }
            if (project != 0) {
              quota.limit(volume, project, size.map(Size::bytes).orElse(0L));
            }
          }
        });
  }

  private int freeProject(Fd volume) {
    for (int i = 0; i < ATTEMPTS; i++) {
      int candidate = ThreadLocalRandom.current().nextInt(FIRST_PROJECT, Integer.MAX_VALUE);
      ProjectQuota.Usage usage = quota.usage(volume, candidate);
      if (usage.files() == 0 && usage.limit() == 0) {
        return candidate;
      }
    }
    throw new StapesException(Kind.EXHAUSTED, pool.subject(), "no free project id found");
  }

  @Override
  public Size usage(VolumeId id) {
    return gate.pass(
        "usage of " + id,
        () -> {
          try (Fd volume = ids.open(id)) {
            int project = quota.projectOf(volume);
            return Size.ofBytes(
                project == 0
                    ? new TreeUsage(pool.sys()).of(volume)
                    : quota.usage(volume, project).space());
          }
        });
  }
}
