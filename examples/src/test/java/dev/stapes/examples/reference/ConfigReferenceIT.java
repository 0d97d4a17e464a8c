package dev.stapes.examples.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code docs/config-keys.md} is what the declarations say. Run with {@code -Dstapes.update=true}
 * to write it anew.
 */
@RequiresRoot
@RequiresTool("lxc-start")
class ConfigReferenceIT {
  @TempDir Path directory;

  @Test
  void the_reference_table_is_what_the_declarations_say() throws IOException {
    Path file = Path.of("..", "docs", "config-keys.md");
    String expected = reference();
    if (Boolean.getBoolean("stapes.update")) {
      Files.writeString(file, expected);
    }
    assertEquals(expected, Files.readString(file), "run again with -Dstapes.update=true");
  }

  private String reference() {
    StringBuilder out =
        new StringBuilder("# Config keys\n\nNames and meanings are those of Incus. ")
            .append("A live key takes effect on a running instance at once, others with its next ")
            .append("start.\nGenerated from the declarations.\n\n## Every instance\n\n");
    table(out, InstanceKeys.SCHEMA.keys());
    table(out.append("\n## Every custom volume\n\n"), VolumeKeys.SCHEMA.keys());
    HostProvider hosts = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow();
    try (Host host = hosts.open()) {
      for (InstanceDriverProvider provider : sorted(InstanceDriverProvider.class)) {
        try (InstanceDriver driver =
            provider.open(
                host, new InstanceDriverProvider.Scope(directory, directory, "reftable"))) {
          out.append("\n## ").append(provider.type()).append(" (").append(provider.name());
          table(out.append(")\n\n"), driver.configKeys());
        }
      }
    }
    for (StorageDriverProvider provider : sorted(StorageDriverProvider.class)) {
      table(
          out.append("\n## Pool of driver ").append(provider.name()).append("\n\n"),
          provider.poolKeys());
    }
    return out.toString();
  }

  private static <P extends dev.stapes.spi.Provider> List<P> sorted(Class<P> type) {
    return StreamSupport.stream(ServiceLoader.load(type).spliterator(), false)
        .sorted(Comparator.comparing(P::name))
        .toList();
  }

  private static void table(StringBuilder out, List<ConfigKey<?>> keys) {
    out.append("| key | type | default | live | |\n|---|---|---|---|---|\n");
    keys.stream()
        .sorted(Comparator.comparing(ConfigKey::name))
        .forEach(
            key ->
                out.append("| `")
                    .append(key.name())
                    .append("` | ")
                    .append(key.type().name())
                    .append(" | ")
                    .append(key.defaultText().orElse(""))
                    .append(" | ")
                    .append(key.live() ? "yes" : "no")
                    .append(" | ")
                    .append(key.doc())
                    .append(" |\n"));
  }
}
