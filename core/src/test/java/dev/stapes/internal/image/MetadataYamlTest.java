package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.UniqueElements;
import org.junit.jupiter.api.Test;

class MetadataYamlTest {
  private static ImageMetadata read(String text) {
    return MetadataYaml.read(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void refused(String part, String text) {
    StapesException e = assertThrows(StapesException.class, () -> read(text));
    assertEquals(StapesException.Kind.INVALID, e.kind());
    assertTrue(e.toString().contains(part), e.toString());
  }

  @Test
  void what_incus_writes_is_read_and_unknown_members_are_passed_over() {
    ImageMetadata metadata =
        read(
            """
            architecture: amd64
            creation_date: 1718000000
            expiry_date: 1728000000
            properties:
              os: Alpine
              release: 3.20
              serial: 20240610
              secureboot: false
              description: "Alpine 3.20: \\"small\\""
              nothing: null
            templates:
              /etc/hostname:
                when: [create, copy]
                template: hostname.tpl
                properties: {a: {b: c}}
            """);
    assertEquals("x86_64", metadata.architecture());
    assertEquals(Instant.ofEpochSecond(1_718_000_000L), metadata.createdAt());
    assertEquals("3.20", metadata.properties().get("release"));
    assertEquals("20240610", metadata.properties().get("serial"));
    assertEquals("false", metadata.properties().get("secureboot"));
    assertEquals("Alpine 3.20: \"small\"", metadata.properties().get("description"));
    assertEquals("", metadata.properties().get("nothing"));
  }

  @Test
  void what_is_wrong_is_said() {
    refused("no mapping", "");
    refused("no mapping", "- a\n");
    refused("no architecture", "creation_date: 1\n");
    refused("creation_date", "architecture: x86_64\ncreation_date: yesterday\n");
    refused("properties", "architecture: x86_64\nproperties: [a]\n");
    refused("plain value", "architecture: x86_64\nproperties: {a: {b: c}}\n");
    refused("no YAML", "architecture: \"x86_64\n");
    refused("no YAML", "a: [\n");
    refused("no YAML", "\tarchitecture: x\n");
  }

  @Test
  void aliases_depth_and_masses_are_refused() {
    refused("alias", "architecture: x86_64\nx: &a [b]\ny: *a\n");
    refused("alias", "architecture: x86_64\nproperties: {a: &a b, c: *a}\n");
    refused("nested", "x: " + "[".repeat(100) + "]".repeat(100) + "\n");
    StringBuilder many = new StringBuilder("architecture: x86_64\nproperties:\n");
    for (int i = 0; i < 1_001; i++) {
      many.append("  p").append(i).append(": v\n");
    }
    refused("1000 properties", many.toString());
  }

  @Property(tries = 1000)
  void any_properties_survive(@ForAll @Size(max = 5) @UniqueElements List<String> values) {
    Map<String, String> properties = new TreeMap<>();
    for (int i = 0; i < values.size(); i++) {
      properties.put("p" + i, printable(values.get(i)));
    }
    ImageMetadata metadata =
        ImageMetadata.container("x86_64", Instant.ofEpochSecond(5), properties);
    byte[] yaml = MetadataYaml.write(metadata);
    assertEquals(metadata, MetadataYaml.read(yaml));
    assertArrayEquals(yaml, MetadataYaml.write(MetadataYaml.read(yaml)));
  }

  @Test
  void line_breaks_survive() {
    Map<String, String> properties =
        Map.of("nel", "\u0085", "separators", "a\u2028b\u2029", "line", "\n", "lines", " a\n\n");
    ImageMetadata metadata = ImageMetadata.container("x86_64", Instant.EPOCH, properties);
    assertEquals(metadata, MetadataYaml.read(MetadataYaml.write(metadata)));
  }

  /** YAML has no way to write half of a surrogate pair. */
  private static String printable(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }
}
