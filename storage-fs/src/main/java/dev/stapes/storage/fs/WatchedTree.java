package dev.stapes.storage.fs;

import dev.stapes.spi.Tree;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A tree that tells when it and all of its subtrees are closed. */
final class WatchedTree {
  private final Runnable allClosed;
  private final AtomicInteger open = new AtomicInteger();

  private WatchedTree(Runnable allClosed) {
    this.allClosed = allClosed;
  }

  static Tree of(Tree tree, Runnable allClosed) {
    return new WatchedTree(allClosed).watch(tree);
  }

  private Tree watch(Tree tree) {
    open.incrementAndGet();
    boolean[] closed = new boolean[1];
    return (Tree)
        Proxy.newProxyInstance(
            Tree.class.getClassLoader(),
            new Class<?>[] {Tree.class},
            (proxy, method, arguments) -> {
              Object answer = call(tree, method, arguments);
              if (method.getName().equals("close")) {
                closeOnce(closed);
              }
              return method.getName().equals("subtree") ? watch((Tree) answer) : answer;
            });
  }

  private void closeOnce(boolean[] closed) {
    boolean first;
    synchronized (closed) {
      first = !closed[0];
      closed[0] = true;
    }
    if (first && open.decrementAndGet() == 0) {
      allClosed.run();
    }
  }

  private static Object call(Tree tree, Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(tree, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
