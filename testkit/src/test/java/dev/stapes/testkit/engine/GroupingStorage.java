package dev.stapes.testkit.engine;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** A storage driver whose pools copy several volumes at once. */
final class GroupingStorage extends PassingStorage {
  GroupingStorage(StorageDriverProvider real) {
    super(real);
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    return grouping(super.create(host, spec, directory));
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    return grouping(super.open(host, spec, directory));
  }

  private static StoragePool grouping(StoragePool pool) {
    StoragePool.GroupCopies copies = targets -> copy(pool, targets);
    return (StoragePool)
        Proxy.newProxyInstance(
            StoragePool.class.getClassLoader(),
            new Class<?>[] {StoragePool.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("groupCopies")) {
                return Optional.of(copies);
              }
              try {
                return method.invoke(pool, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static void copy(StoragePool pool, Map<VolumeId, VolumeId> targets) {
    targets.forEach((source, target) -> pool.copy(source, target, true));
  }
}
