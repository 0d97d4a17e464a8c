package dev.stapes.storage.fs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.testkit.contract.StorageDriverContract;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** The contract for pools in a directory of a file system that is not that of the tests. */
abstract class OnDiskContract extends StorageDriverContract {
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final Set<String> names = new TreeSet<>(Set.of("other"));

  /** The same for all tests of a class: formatting takes longer than most of them. */
  abstract TestDisk disk();

  /** Each pool has a directory of its own: some tests have two at once. */
  @Override
  protected PoolSpec poolSpec() {
    String name = "pool-" + NUMBERS.incrementAndGet();
    names.add(name);
    return PoolSpec.of("contract", provider().name()).source(disk().directory(name).toString());
  }

  @Override
  protected PoolSpec otherPoolSpec() {
    return PoolSpec.of("other", provider().name()).source(disk().directory("other").toString());
  }

  @Override
  protected Host openHost() {
    return disk().mountedIn(super.openHost(), names);
  }
}
