package dev.stapes.benchmarks;

import dev.stapes.spi.Tree;
import java.io.OutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A tree that takes whatever is written and keeps nothing of it. */
final class NowhereTree {
  private NowhereTree() {}

  static Tree open() {
    return (Tree)
        Proxy.newProxyInstance(
            Tree.class.getClassLoader(), new Class<?>[] {Tree.class}, NowhereTree::call);
  }

  private static @Nullable Object call(Object tree, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.isDefault()) {
      return InvocationHandler.invokeDefault(tree, method, arguments);
    }
    if (method.getReturnType() == OutputStream.class) {
      return OutputStream.nullOutputStream();
    }
    if (method.getReturnType() == Optional.class) {
      return Optional.empty();
    }
    if (method.getReturnType() == void.class) {
      return null;
    }
    throw new IllegalStateException("nothing can be read here: " + method.getName());
  }
}
