package dev.stapes.lxc.ffi;

import com.sun.jna.Structure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The binary interface of liblxc as lines {@code name = number}: ours, and a C compiler's. */
final class Abi {
  private static final String[] HEADERS = {"lxc/lxccontainer.h", "lxc/attach_options.h"};

  private Abi() {}

  /** What the classes of this package say. */
  static SortedMap<String, Long> ours() {
    SortedMap<String, Long> values = new TreeMap<>();
    for (Member member : Member.values()) {
      values.put("offset struct lxc_container." + member.cName(), member.offset());
    }
    structure(values, "lxc_attach_options_t", new AttachOptions());
    structure(values, "struct migrate_opts", new MigrateOptions());
    structure(values, "struct lxc_log", new LogSettings());
    values.put("value LXC_ATTACH_MOVE_TO_CGROUP", (long) AttachOptions.MOVE_TO_CGROUP);
    values.put("value LXC_ATTACH_DROP_CAPABILITIES", (long) AttachOptions.DROP_CAPABILITIES);
    values.put("value LXC_ATTACH_SET_PERSONALITY", (long) AttachOptions.SET_PERSONALITY);
    values.put("value LXC_ATTACH_LSM_EXEC", (long) AttachOptions.LSM_EXEC);
    values.put("value LXC_ATTACH_REMOUNT_PROC_SYS", (long) AttachOptions.REMOUNT_PROC_SYS);
    values.put("value LXC_ATTACH_NO_NEW_PRIVS", (long) AttachOptions.NO_NEW_PRIVS);
    values.put("value LXC_ATTACH_TERMINAL", (long) AttachOptions.TERMINAL);
    values.put("value LXC_ATTACH_LSM_LABEL", (long) AttachOptions.LSM_LABEL);
    values.put("value LXC_ATTACH_SETGROUPS", (long) AttachOptions.SETGROUPS);
    values.put("value LXC_ATTACH_DEFAULT", (long) AttachOptions.DEFAULT);
    values.put("value LXC_ATTACH_KEEP_ENV", (long) AttachOptions.KEEP_ENV);
    values.put("value LXC_ATTACH_CLEAR_ENV", (long) AttachOptions.CLEAR_ENV);
    for (MigrateCommand command : MigrateCommand.values()) {
      values.put("value MIGRATE_" + command.name(), (long) command.ordinal());
    }
    return values;
  }

  /** A C program that prints what {@link #ours} has, by the compiler's reckoning. */
  static String program() {
    StringBuilder c = new StringBuilder("#include <stddef.h>\n#include <stdio.h>\n");
    for (String header : HEADERS) {
      c.append("#include <").append(header).append(">\n");
    }
    c.append("int main(void) {\n");
    for (String key : ours().keySet()) {
      c.append("  printf(\"")
          .append(key)
          .append(" = %lld\\n\", (long long)")
          .append(expression(key));
      c.append(");\n");
    }
    return c.append("  return 0;\n}\n").toString();
  }

  /**
   * Compiles and runs the program.
   *
   * @param compiler such as {@code gcc} with options
   * @param runner words before the program, such as a dynamic linker
   */
  static SortedMap<String, Long> measured(
      Path directory, List<String> compiler, List<String> runner)
      throws IOException, InterruptedException {
    Path source = Files.writeString(directory.resolve("abi.c"), program());
    Path program = directory.resolve("abi");
    List<String> compile = new ArrayList<>(compiler);
    compile.addAll(List.of("-o", program.toString(), source.toString()));
    run(compile);
    List<String> command = new ArrayList<>(runner);
    command.add(program.toString());
    return parse(run(command));
  }

  /** Reads the lines. */
  static SortedMap<String, Long> parse(String text) {
    SortedMap<String, Long> values = new TreeMap<>();
    text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .forEach(
            line -> {
              int equals = line.lastIndexOf(" = ");
              values.put(line.substring(0, equals), Long.parseLong(line.substring(equals + 3)));
            });
    return values;
  }

  /** What was recorded of a version. */
  static SortedMap<String, Long> recorded(String version) throws IOException {
    try (InputStream in = Abi.class.getResourceAsStream("liblxc-" + version + ".abi")) {
      if (in == null) {
        throw new IOException("nothing recorded of liblxc " + version);
      }
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException(command + " failed: " + output);
    }
    return output;
  }

  private static String expression(String key) {
    String[] words = key.split(" ", 2);
    return switch (words[0]) {
      case "offset" -> {
        int dot = words[1].indexOf('.');
        yield "offsetof(" + words[1].substring(0, dot) + ", " + words[1].substring(dot + 1) + ")";
      }
      case "size" -> "sizeof(" + words[1] + ")";
      default -> words[1];
    };
  }

  private static void structure(Map<String, Long> values, String cName, CStruct structure) {
    values.put("size " + cName, (long) structure.size());
    Structure.FieldOrder order = structure.getClass().getAnnotation(Structure.FieldOrder.class);
    if (order == null) {
      throw new AssertionError(cName);
    }
    for (String field : order.value()) {
      String cField = field.startsWith("groups_") ? field.replace("groups_", "groups.") : field;
      values.put("offset " + cName + "." + cField, (long) structure.offsetOf(field));
    }
  }
}
