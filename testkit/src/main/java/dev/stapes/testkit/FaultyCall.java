package dev.stapes.testkit;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Proxy;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Passes the calls of one wrapped interface on, through the faults. */
final class FaultyCall implements InvocationHandler {
  private final Faults faults;
  private final Object target;

  FaultyCall(Faults faults, Object target) {
    this.faults = faults;
    this.target = target;
  }

  @Override
  public @Nullable Object invoke(
      Object proxy, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    if (method.getName().equals("equals") && method.getDeclaringClass() == Object.class) {
      return target.equals(arguments == null ? null : unwrapped(arguments[0]));
    }
    if (!faults.isEffect(method)) {
      return wrapped(method.getGenericReturnType(), call(method, arguments));
    }
    return faults.happen(
        describe(method, arguments),
        AutoCloseable.class.isAssignableFrom(method.getReturnType()),
        () -> wrapped(method.getGenericReturnType(), call(method, arguments)));
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  private static String describe(Method method, @Nullable Object @Nullable [] arguments) {
    return method.getDeclaringClass().getSimpleName()
        + "."
        + method.getName()
        + (arguments == null ? "" : " " + Arrays.toString(arguments));
  }

  /** What a wrapped thing wraps; anything else is what it is. */
  static @Nullable Object unwrapped(@Nullable Object value) {
    boolean ours =
        value != null
            && Proxy.isProxyClass(value.getClass())
            && Proxy.getInvocationHandler(value) instanceof FaultyCall;
    return ours ? unwrapped(((FaultyCall) Proxy.getInvocationHandler(value)).target) : value;
  }

  private @Nullable Object wrapped(Type type, @Nullable Object value) {
    if (value instanceof OutputStream stream) {
      return new FaultyStream(faults, stream);
    }
    if (value instanceof Optional<?> optional) {
      return optional.map(inner -> wrapped(argument(type), inner));
    }
    if (value instanceof CompletionStage<?> stage && type instanceof ParameterizedType) {
      return wrapsInterface(argument(type))
          ? stage.thenApply(inner -> wrapped(argument(type), inner))
          : stage;
    }
    if (value instanceof List<?> list && wrapsInterface(argument(type))) {
      return list.stream().map(inner -> wrapped(argument(type), inner)).toList();
    }
    if (value instanceof Set<?> set && wrapsInterface(argument(type))) {
      Set<@Nullable Object> all = new LinkedHashSet<>();
      set.forEach(inner -> all.add(wrapped(argument(type), inner)));
      return all;
    }
    return value != null && wrapsInterface(type) ? wrap((Class<?>) type, value) : value;
  }

  private <T> T wrap(Class<T> type, Object value) {
    return faults.wrap(type, type.cast(value));
  }

  /** Interfaces of ours; the JDK's and sealed ones are data, not doors to effects. */
  private static boolean wrapsInterface(Type type) {
    return type instanceof Class<?> raw
        && raw.isInterface()
        && !raw.isSealed()
        && !raw.getName().startsWith("java.");
  }

  private static Type argument(Type type) {
    return type instanceof ParameterizedType generic
        ? generic.getActualTypeArguments()[0]
        : Object.class;
  }

  /** A stream whose first write is an effect. */
  private static final class FaultyStream extends FilterOutputStream {
    private final Faults faults;
    private boolean written;

    FaultyStream(Faults faults, OutputStream stream) {
      super(stream);
      this.faults = faults;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (written) {
        out.write(bytes, offset, length);
        return;
      }
      written = true;
      try {
        faults.happen(
            "OutputStream.write",
            false,
            () -> {
              out.write(bytes, offset, length);
              return null;
            });
      } catch (IOException | RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IOException(e);
      }
    }
  }
}
