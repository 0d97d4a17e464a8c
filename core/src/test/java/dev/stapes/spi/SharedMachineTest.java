package dev.stapes.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedMachineTest {
  @Test
  void everything_that_a_machine_does_is_passed_on() {
    List<String> missing =
        Arrays.stream(Machine.class.getDeclaredMethods())
            .filter(method -> !Modifier.isStatic(method.getModifiers()))
            .filter(method -> !method.isSynthetic())
            .filter(method -> !isDeclared(method))
            .map(Method::getName)
            .toList();
    assertEquals(List.of(), missing);
  }

  private static boolean isDeclared(Method method) {
    return Arrays.stream(SharedMachine.class.getDeclaredMethods())
        .anyMatch(
            own ->
                own.getName().equals(method.getName())
                    && Arrays.equals(own.getParameterTypes(), method.getParameterTypes()));
  }

  @Test
  void a_hold_is_let_go_of_once() {
    AtomicInteger count = new AtomicInteger();
    Machine none =
        (Machine)
            Proxy.newProxyInstance(
                Machine.class.getClassLoader(),
                new Class<?>[] {Machine.class},
                (proxy, method, arguments) -> {
                  throw new AssertionError(method);
                });
    SharedMachine shared = new SharedMachine(none, count::incrementAndGet);
    shared.close();
    shared.close();
    assertEquals(1, count.get());
  }
}
