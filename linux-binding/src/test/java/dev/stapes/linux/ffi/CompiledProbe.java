package dev.stapes.linux.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A C program that prints what the compiler of this machine makes of expressions. */
public final class CompiledProbe {
  private final Path directory;
  private final StringBuilder program = new StringBuilder("#define _GNU_SOURCE\n");

  /** A program of these headers, made in a directory. */
  public CompiledProbe(Path directory, List<String> headers) {
    this.directory = directory;
    headers.forEach(header -> program.append("#include <").append(header).append(">\n"));
    program.append("int main(void) {\n");
  }

  /** Prints the value of an expression under a name. */
  public CompiledProbe print(String name, String expression) {
    program.append("  printf(\"%s %lld\\n\", \"").append(name).append("\", (long long)(");
    program.append(expression).append("));\n");
    return this;
  }

  /** Compiles and runs it. */
  public Map<String, Long> values() throws IOException, InterruptedException {
    program.append("  return 0;\n}\n");
    Path source = Files.writeString(directory.resolve("probe.c"), program.toString());
    Path binary = directory.resolve("probe");
    run("gcc", "-Wall", "-Werror", "-o", binary.toString(), source.toString());
    Map<String, Long> values = new TreeMap<>();
    for (String line : run(binary.toString()).split("\n", -1)) {
      String[] parts = line.split(" ", -1);
      if (parts.length == 2) {
        values.put(parts[0], Long.parseLong(parts[1]));
      }
    }
    return values;
  }

  private String run(String... command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "output", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), command[0] + " takes too long");
    String text = Files.readString(output);
    assertEquals(0, process.exitValue(), () -> command[0] + ": " + text);
    return text;
  }

  /** The numbers that a class declares and the caller may see, by name. */
  public static Map<String, Long> constants(Class<?> type, MethodHandles.Lookup caller)
      throws ReflectiveOperationException {
    Map<String, Long> all = new TreeMap<>();
    for (Field field : type.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType().isPrimitive()) {
        VarHandle value = caller.findStaticVarHandle(type, field.getName(), field.getType());
        all.put(field.getName(), ((Number) value.get()).longValue());
      }
    }
    return all;
  }

  /** An {@code int} is compared as Java has it: requests of ioctl(2) look negative. */
  public static void assertSame(Map<String, Long> ours, Map<String, Long> theirs) {
    Map<String, String> differences = new TreeMap<>();
    ours.forEach(
        (name, value) -> {
          Long other = theirs.get(name);
          boolean same = other != null && (value.equals(other) || value.intValue() == other);
          boolean wrapped = other != null && value < 0 && value.intValue() == other.intValue();
          if (!same && !wrapped) {
            differences.put(name, value + " here, " + other + " in C");
          }
        });
    assertEquals(Map.of(), differences);
  }
}
