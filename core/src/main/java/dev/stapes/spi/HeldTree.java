package dev.stapes.spi;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A tree that holds something, such as a mount or a device, until it, its subtrees and all files
 * that were opened by them are closed. For implementations of this SPI.
 */
public final class HeldTree {
  private final Runnable letGo;
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();

  private HeldTree(Runnable letGo) {
    this.letGo = letGo;
  }

  /**
   * Opens one.
   *
   * @param opening opens the tree; where that fails what it was to hold is let go
   * @param letGo done once, when nothing of it is open any more
   */
  public static Tree open(Supplier<Tree> opening, Runnable letGo) {
    try {
      return (Tree) new HeldTree(letGo).watch(opening.get(), Tree.class);
    } catch (RuntimeException e) {
      Undo.after(e, letGo);
      throw e;
    }
  }

  private Object watch(Object opened, Class<?> type) {
    AtomicBoolean closed = begin();
    return Proxy.newProxyInstance(
        type.getClassLoader(),
        new Class<?>[] {type},
        (proxy, method, arguments) -> {
          if (!method.getName().equals("close")) {
            return watched(call(opened, method, arguments));
          }
          try {
            return call(opened, method, arguments);
          } finally {
            end(closed);
          }
        });
  }

  private @Nullable Object watched(@Nullable Object answer) {
    if (answer instanceof Tree) {
      return watch(answer, Tree.class);
    }
    if (answer instanceof Tree.NewFile) {
      return watch(answer, Tree.NewFile.class);
    }
    if (answer instanceof InputStream in) {
      return new Input(in);
    }
    return answer instanceof OutputStream out ? new Output(out) : answer;
  }

  private static @Nullable Object call(
      Object opened, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(opened, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  private AtomicBoolean begin() {
    open.incrementAndGet();
    return new AtomicBoolean();
  }

  private void end(AtomicBoolean closed) {
    if (!closed.getAndSet(true) && open.decrementAndGet() == 0 && !over.getAndSet(true)) {
      letGo.run();
    }
  }

  /** A file that is read. */
  private final class Input extends FilterInputStream {
    private final AtomicBoolean closed = begin();

    Input(InputStream in) {
      super(in);
    }

    @Override
    public void close() throws IOException {
      try {
        super.close();
      } finally {
        end(closed);
      }
    }
  }

  /** A file that is written. */
  private final class Output extends FilterOutputStream {
    private final AtomicBoolean closed = begin();

    Output(OutputStream out) {
      super(out);
    }

    /** Not byte by byte. */
    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      try {
        super.close();
      } finally {
        end(closed);
      }
    }
  }
}
