package dev.stapes.lxc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.Liblxc;
import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Assertions;

class LxcConfigPropertyTest {
  @Provide
  Arbitrary<String> values() {
    return Arbitraries.frequencyOf(
        Tuple.of(3, Arbitraries.strings().withChars(" \t\"'\\#=,;$a\u00e9\u20ac").ofMinLength(1)),
        Tuple.of(1, Arbitraries.strings().ofMinLength(1)));
  }

  @Property(tries = 300)
  void liblxc_reads_back_every_value_that_is_accepted(@ForAll("values") String value)
      throws IOException {
    Optional<Liblxc> library = Liblxc.probe().ifFound();
    Assume.that(library.isPresent());
    LxcConfig.Item item;
    try {
      item = new LxcConfig.Item("lxc.environment", "V=" + value);
    } catch (StapesException e) {
      Assertions.assertTrue(value.chars().anyMatch(Character::isISOControl));
      return;
    }
    Assume.that(value.chars().noneMatch(c -> Character.isSurrogate((char) c)));
    Path directory = Files.createTempDirectory("lxcconfig");
    Path file = directory.resolve("config");
    Files.writeString(file, item + "\nlxc.uts.name = after\n");
    try (ContainerCalls container = library.get().container("x", directory.toString())) {
      container.loadConfig(file.toString());
      assertEquals(
          Optional.of(("V=" + value).stripTrailing()), container.configItem("lxc.environment"));
      assertEquals(Optional.of("after"), container.configItem("lxc.uts.name"));
    } finally {
      Files.delete(file);
      LockFiles.remove(directory);
      Files.delete(directory);
    }
  }

  @Property
  void a_text_has_one_line_per_item(@ForAll("values") String value) {
    try {
      LxcConfig config = new LxcConfig.Builder().add("lxc.uts.name", value).build();
      assertEquals(1, config.text().lines().count());
    } catch (StapesException e) {
      assertThrows(StapesException.class, () -> new LxcConfig.Item("lxc.uts.name", value));
    }
  }
}
