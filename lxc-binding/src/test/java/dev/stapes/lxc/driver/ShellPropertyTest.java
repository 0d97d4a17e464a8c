package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.ExecSpec;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.Size;

/** What a request says is what a busybox shell understands. */
@RequiresTool("busybox")
class ShellPropertyTest {
  @Provide
  Arbitrary<String> texts() {
    // All code points but NUL and halves of surrogate pairs, with what shells care about often.
    Arbitrary<String> special =
        Arbitraries.strings().withChars("'\"\\$`!*?[]{}()<>|&;#~ \t\n\r\u0001\u0081\u0088\u00e9=-");
    Arbitrary<String> any =
        Arbitraries.integers()
            .between(1, 0x10ffff)
            .filter(c -> c < 0xd800 || c > 0xdfff)
            .map(Character::toString)
            .list()
            .ofMaxSize(20)
            .map(parts -> String.join("", parts));
    return Arbitraries.frequencyOf(Tuple.of(2, special), Tuple.of(1, any));
  }

  @Property(tries = 150)
  void arguments_arrive_as_they_were_given(
      @ForAll @Size(min = 1, max = 6) List<@net.jqwik.api.From("texts") String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("program"));
    command.addAll(arguments);
    String request =
        ExecRequest.text(ExecSpec.of(command.toArray(new String[0])), true, OptionalInt.empty());

    String output = shell(request, "printf '%s\\0' \"$@\"\n");

    assertEquals(command, Arrays.asList(output.split("\0", -1)).subList(0, command.size()));
  }

  @Property(tries = 150)
  void variables_and_the_directory_arrive_as_they_were_given(
      @ForAll("texts") String value, @ForAll("texts") String odd, @ForAll("texts") String directory)
      throws IOException, InterruptedException {
    ExecSpec spec =
        ExecSpec.builder("program")
            .environment("VALUE", value)
            .environment("name", "not ours")
            .environment("IFS", odd)
            .environment("_x", value)
            .directory("/" + directory)
            .build();
    String request = ExecRequest.text(spec, true, OptionalInt.empty());

    String output =
        shell(
            request,
            """
            variables
            printf '%s\\0' "$_dir"
            eval "set -- busybox env -- $_odd busybox env -0"
            exec "$@"
            """);

    List<String> parts = Arrays.asList(output.split("\0", -1));
    assertEquals("/" + directory, parts.get(0));
    Map<String, String> environment = new TreeMap<>();
    parts.stream()
        .skip(1)
        .filter(part -> part.contains("="))
        .forEach(
            part ->
                environment.put(
                    part.substring(0, part.indexOf('=')), part.substring(part.indexOf('=') + 1)));
    assertEquals(value, environment.get("VALUE"));
    assertEquals("not ours", environment.get("name"));
    assertEquals(odd, environment.get("IFS"));
    assertEquals(value, environment.get("_x"));
  }

  /** Runs a script that reads the request as the agent does. */
  private static String shell(String request, String script)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("request");
    Path asked = directory.resolve("q");
    Path file = directory.resolve("sh");
    try {
      Files.writeString(asked, request);
      Files.writeString(file, ". " + asked + "\n" + script);
      Process process =
          new ProcessBuilder("busybox", "sh", file.toString()).redirectErrorStream(true).start();
      process.getOutputStream().close();
      byte[] output = process.getInputStream().readAllBytes();
      assertEquals(0, process.waitFor(), new String(output, StandardCharsets.UTF_8));
      return new String(output, StandardCharsets.UTF_8);
    } finally {
      Files.delete(asked);
      Files.delete(file);
      Files.delete(directory);
    }
  }
}
