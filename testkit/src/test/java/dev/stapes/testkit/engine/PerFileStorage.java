package dev.stapes.testkit.engine;

import dev.stapes.model.PoolInfo;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes the pools of a driver say that they copy in another way, and have no streams. */
final class PerFileStorage {
  private final PoolInfo.Copies copies;

  private PerFileStorage(PoolInfo.Copies copies) {
    this.copies = copies;
  }

  /** That copies file by file. */
  static StorageDriverProvider of(StorageDriverProvider driver) {
    return copying(driver, PoolInfo.Copies.PER_FILE);
  }

  static StorageDriverProvider copying(StorageDriverProvider driver, PoolInfo.Copies copies) {
    return new PerFileStorage(copies).around(StorageDriverProvider.class, driver);
  }

  private <T> T around(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> changed(call(target, method, arguments))));
  }

  private @Nullable Object changed(@Nullable Object answer) {
    if (answer instanceof StoragePool pool) {
      return around(StoragePool.class, pool);
    }
    if (answer instanceof Optional<?> capability && capability.filter(this::isStream).isPresent()) {
      return Optional.empty();
    }
    if (answer instanceof PoolInfo.Copies) {
      return copies;
    }
    if (answer instanceof PoolInfo info) {
      return new PoolInfo(
          info.name(), info.driver(), info.config(), info.total(), info.used(), copies);
    }
    return answer;
  }

  private boolean isStream(Object capability) {
    return capability instanceof StoragePool.SendReceive
        || capability instanceof StoragePool.Resumable;
  }

  private static @Nullable Object call(
      Object target, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
