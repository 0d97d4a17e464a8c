package dev.stapes.testkit.engine;

import dev.stapes.model.PoolInfo;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes the pools of a driver say that they copy file by file, and have no streams. */
final class PerFileStorage {
  private PerFileStorage() {}

  static StorageDriverProvider of(StorageDriverProvider driver) {
    return around(StorageDriverProvider.class, driver);
  }

  private static <T> T around(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> changed(call(target, method, arguments))));
  }

  private static @Nullable Object changed(@Nullable Object answer) {
    if (answer instanceof StoragePool pool) {
      return around(StoragePool.class, pool);
    }
    if (answer instanceof Optional<?> capability
        && capability.filter(each -> each instanceof StoragePool.SendReceive).isPresent()) {
      return Optional.empty();
    }
    if (answer instanceof PoolInfo info) {
      return new PoolInfo(
          info.name(),
          info.driver(),
          info.config(),
          info.total(),
          info.used(),
          PoolInfo.Copies.PER_FILE);
    }
    return answer;
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
