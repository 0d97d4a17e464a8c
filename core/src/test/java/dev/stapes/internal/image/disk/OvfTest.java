package dev.stapes.internal.image.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the description of a machine says. */
class OvfTest {
  private static final String ONE =
      """
      <Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
        <References><File ovf:id="f" ovf:href="a.vmdk"/></References>
        <DiskSection><Disk ovf:diskId="d" ovf:fileRef="f"/></DiskSection>
        <VirtualSystem ovf:id="vm"/>
      </Envelope>
      """;

  private static Ovf read(String xml) {
    return Ovf.read(xml.getBytes(StandardCharsets.UTF_8), "ova");
  }

  private static void refused(Kind kind, String words, String xml) {
    StapesException e = assertThrows(StapesException.class, () -> read(xml));
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void the_only_disk_is_taken_where_nothing_else_is_said() {
    assertEquals(new Ovf("a.vmdk", new java.util.TreeMap<>(Map.of())), read(ONE));
  }

  @Test
  void what_cannot_be_one_disk_is_refused() {
    refused(Kind.INVALID, "no XML", "{}");
    refused(Kind.INVALID, "no XML", ONE.replace("</Envelope>", ""));
    refused(Kind.INVALID, "0 machines", ONE.replace("<VirtualSystem ovf:id=\"vm\"/>", ""));
    refused(
        Kind.UNSUPPORTED,
        "2 machines",
        ONE.replace("</Envelope>", "<VirtualSystem ovf:id=\"b\"/></Envelope>"));
    refused(Kind.INVALID, "no disk", ONE.replace("a.vmdk", "/etc/passwd"));
    refused(Kind.INVALID, "no disk", ONE.replace("ovf:fileRef=\"f\"", ""));
    refused(Kind.INVALID, "differs", ONE.replace("ovf:fileRef", "ovf:parentRef=\"x\" ovf:fileRef"));
    refused(
        Kind.UNSUPPORTED,
        "compressed",
        ONE.replace("ovf:href", "ovf:compression=\"gzip\" ovf:href"));
    refused(Kind.UNSUPPORTED, "pieces", ONE.replace("ovf:href", "ovf:chunkSize=\"7\" ovf:href"));
  }

  @Test
  void a_document_type_is_not_looked_at() {
    String hostile =
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
            + ONE.replace("a.vmdk", "a&e;.vmdk");
    refused(Kind.INVALID, "", hostile);
  }
}
