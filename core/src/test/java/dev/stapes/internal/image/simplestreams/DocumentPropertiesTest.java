package dev.stapes.internal.image.simplestreams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.SmallImage;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever a server sends, it is an offer or an error that says so. */
class DocumentPropertiesTest {
  private static final byte[] DOCUMENT = new StreamsTree().documentBytes();
  private static final byte[] INDEX = new StreamsTree().indexBytes();
  private static final Set<Kind> EXPECTED =
      EnumSet.of(Kind.INVALID, Kind.NOT_FOUND, Kind.UNSUPPORTED);

  private static void look(byte[] document) {
    List<Product> products;
    try {
      products = ProductsFile.read("products", document);
    } catch (StapesException e) {
      assertEquals(Kind.INVALID, e.kind(), e.toString());
      return;
    }
    Catalog catalog = new Catalog("server", products, List.of(Form.values()));
    for (Offer offer : catalog.offers()) {
      assertTrue(offer.fingerprint().matches("[0-9a-f]{64}"), offer.toString());
      assertTrue(offer.archive().isWhole(), offer.toString());
      assertTrue(offer.image().properties().values().stream().noneMatch(String::isEmpty));
    }
    try {
      Offer found = catalog.find("debian/13", "amd64", InstanceType.CONTAINER);
      assertTrue(found.product().aliases().contains("debian/13"));
      assertEquals("x86_64", found.architecture());
    } catch (StapesException e) {
      assertTrue(EXPECTED.contains(e.kind()), e.toString());
    }
  }

  private static void lookAtIndex(byte[] document) {
    try {
      IndexFile.read("index", document);
    } catch (StapesException e) {
      assertEquals(Kind.INVALID, e.kind(), e.toString());
    }
  }

  @Property(tries = 300)
  void garbage_is_refused(@ForAll byte[] garbage) {
    look(garbage);
    lookAtIndex(garbage);
  }

  @Property(tries = 1_000)
  void a_changed_byte_does_no_harm(@ForAll @IntRange(max = 100_000) int at, @ForAll byte value) {
    byte[] changed = DOCUMENT.clone();
    changed[at % changed.length] = value;
    look(changed);
    byte[] index = INDEX.clone();
    index[at % index.length] = value;
    lookAtIndex(index);
  }

  @Property(tries = 300)
  void a_document_that_ends_early_is_refused(@ForAll @IntRange(max = 100_000) int length) {
    byte[] cut = Arrays.copyOf(DOCUMENT, length % DOCUMENT.length);
    StapesException e = null;
    try {
      ProductsFile.read("products", cut);
    } catch (StapesException thrown) {
      e = thrown;
    }
    assertTrue(e != null && e.kind() == Kind.INVALID, String.valueOf(e));
  }

  @Property(tries = 500)
  void another_value_in_place_of_one_does_no_harm(
      @ForAll("values") String value, @ForAll @IntRange(max = 1_000) int which) {
    String[] parts = new String(DOCUMENT, StandardCharsets.UTF_8).split("(?<=:)");
    int at = 1 + which % (parts.length - 1);
    String rest = parts[at];
    int end = 0;
    while (end < rest.length() && ",}".indexOf(rest.charAt(end)) < 0) {
      end++;
    }
    parts[at] = value + rest.substring(end);
    look(SmallImage.bytes(String.join("", parts)));
  }

  @Provide
  Arbitrary<String> values() {
    return Arbitraries.oneOf(
        Arbitraries.of(
            "null",
            "true",
            "{}",
            "[]",
            "-1",
            "0",
            "1e999",
            "\"\"",
            "[[[{}]]]",
            "\"\\u0000\"",
            "9223372036854775807",
            "\"../..\"",
            "{\"a\":{\"a\":{}}}"),
        Arbitraries.strings().ascii().ofMaxLength(20).map(text -> '"' + text + '"'));
  }
}
