package dev.stapes.internal.image.simplestreams;

import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.internal.image.SmallImage;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read of the documents, and what is chosen of that. */
class CatalogTest {
  private static final List<Form> FORMS = List.of(Form.SQUASHFS, Form.TAR, Form.UNIFIED);

  private final StreamsTree tree = new StreamsTree();

  private Offer find(String reference, String architecture) {
    return catalog().find(reference, architecture, InstanceType.CONTAINER);
  }

  private Catalog catalog() {
    return new Catalog("server", ProductsFile.read("products", tree.documentBytes()), FORMS);
  }

  private static List<String> index(String json) {
    return IndexFile.read("index", SmallImage.bytes(json));
  }

  private static List<Product> products(String json) {
    return ProductsFile.read("products", SmallImage.bytes(json));
  }

  @Test
  void the_newest_version_that_is_whole_is_chosen() {
    ObjectNode product = tree.product("debian:trixie:amd64:default");
    for (String serial : List.of("20260103_9", "20260103_10", "20251231_23:59")) {
      tree.all(StreamsTree.version(product, serial));
    }
    ObjectNode half = StreamsTree.version(product, "20260104");
    tree.item(half, "incus.tar.xz", StreamsTree.METADATA)
        .put("combined_squashfs_sha256", SmallImage.sha256());
    ObjectNode deltas = StreamsTree.version(product, "20260105");
    tree.item(deltas, "incus.tar.xz", StreamsTree.METADATA)
        .put("combined_squashfs_sha256", SmallImage.sha256());
    tree.item(deltas, "squashfs.vcdiff", new byte[1]).put("delta_base", "20260104");
    assertEquals("20260103_10", find("debian/13", "amd64").version().serial());
  }

  @ParameterizedTest
  @ValueSource(strings = {"path", "sha256", "size"})
  void a_file_of_which_not_all_is_known_is_none(String member) {
    tree.all(StreamsTree.version(tree.product("debian:trixie:amd64:default"), "20260103"));
    ObjectNode file =
        (ObjectNode)
            tree.document.at(
                "/products/debian:trixie:amd64:default/versions/20260103/items/squashfs");
    file.remove(member);
    assertEquals("root.tar.xz", find("debian/13", "amd64").rootfs().orElseThrow().type());
  }

  @Test
  void files_without_a_fingerprint_are_no_image() {
    ObjectNode items = StreamsTree.version(tree.product("debian:trixie:amd64:default"), "20260103");
    tree.item(items, "incus.tar.xz", StreamsTree.METADATA);
    tree.item(items, "squashfs", StreamsTree.SQUASHFS);
    assertEquals(StreamsTree.NEWEST, find("debian/13", "amd64").version().serial());
  }

  @Test
  void an_architecture_has_more_than_one_name() {
    tree.all(StreamsTree.version(tree.product("arm", "debian/13", "arm64"), "20260101"));
    assertEquals("arm", find("debian/13", "aarch64").product().name());
    assertEquals("arm", find("debian/13", "arm64").product().name());
    assertEquals("arm", find("debian/13/arm64", "x86_64").product().name());
    assertEquals("arm", find("debian/13/aarch64", "x86_64").product().name());
    assertEquals(
        "debian:trixie:amd64:default", find("debian/13/amd64", "aarch64").product().name());
    refused(Kind.NOT_FOUND, "riscv64", () -> find("debian/13/riscv64", "x86_64"));
  }

  @Test
  void a_fingerprint_is_as_good_as_an_alias() {
    String fingerprint = SmallImage.sha256(StreamsTree.METADATA, StreamsTree.SQUASHFS);
    assertEquals(fingerprint, find(fingerprint, "riscv64").fingerprint());
    refused(Kind.NOT_FOUND, "not found", () -> find(SmallImage.sha256(), "amd64"));
  }

  @Test
  void of_two_products_with_the_alias_the_first_of_incus_is_chosen() {
    tree.all(
        StreamsTree.version(tree.product("a", "debian/13", "amd64").put("variant", "z"), "2027"));
    assertEquals("default", find("debian/13", "amd64").product().fact("variant"));
  }

  @Test
  void an_image_in_one_file_may_be_that_of_a_virtual_machine() {
    ObjectNode items = StreamsTree.version(tree.product("vm", "vm", "amd64"), "20260101");
    tree.item(items, "incus_combined.tar.gz", StreamsTree.UNIFIED)
        .put("combined_type", "virtual-machine");
    refused(Kind.UNSUPPORTED, "virtual machines only", () -> find("vm", "amd64"));
  }

  @Test
  void an_alias_means_the_image_for_the_type_of_the_instance() {
    ObjectNode product = tree.product("debian:trixie:amd64:default");
    ObjectNode items = StreamsTree.version(product, "20250101");
    tree.item(items, "incus.tar.xz", StreamsTree.METADATA)
        .put("combined_disk-kvm-img_sha256", SmallImage.sha256(new byte[7]));
    tree.item(items, "disk-kvm.img", new byte[7]);
    Catalog catalog = catalog();
    Offer machine = catalog.find("debian/13", "amd64", InstanceType.VIRTUAL_MACHINE);
    assertEquals("20250101", machine.version().serial());
    assertEquals("disk-kvm.img", machine.rootfs().orElseThrow().type());
    assertEquals(
        StreamsTree.NEWEST,
        catalog.find("debian/13", "amd64", InstanceType.CONTAINER).version().serial());
    assertEquals(machine, catalog.find(machine.fingerprint(), "riscv64", InstanceType.CONTAINER));
  }

  @Test
  void without_an_image_for_virtual_machines_the_one_for_containers_is_not_taken() {
    refused(
        Kind.UNSUPPORTED,
        "containers only",
        () -> catalog().find("debian/13", "amd64", InstanceType.VIRTUAL_MACHINE));
  }

  @ParameterizedTest
  @CsvSource({
    "20260101,20260102",
    "20260101.9,20260101.10",
    "20260101_05:24,20260101_17:03",
    "20260101,20260101.1",
    "a,b",
    "9,a",
    "'',1"
  })
  void a_serial_is_newer_by_its_numbers(String older, String newer) {
    assertTrue(Catalog.compareSerials(older, newer) < 0);
    assertTrue(Catalog.compareSerials(newer, older) > 0);
    assertEquals(0, Catalog.compareSerials(newer, newer));
  }

  @Test
  void an_index_names_documents_with_images() {
    assertEquals(
        List.of("a.json"),
        index(
            "{\"index\":{\"one\":{\"datatype\":\"image-downloads\",\"path\":\"a.json\","
                + "\"products\":[\"x\",{\"y\":[]}],\"more\":[{}]},"
                + "\"again\":{\"datatype\":\"image-downloads\",\"path\":\"a.json\","
                + "\"products\":[1]},"
                + "\"empty\":{\"datatype\":\"image-downloads\",\"path\":\"b\",\"products\":[]},"
                + "\"none\":{\"datatype\":\"image-downloads\",\"path\":\"c\",\"products\":null}},"
                + "\"format\":\"index:1.0\",\"updated\":\"now\"}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "1",
        "{",
        "{}",
        "{\"format\":\"index:1.0\"",
        "{\"format\":\"products:2.0\"}",
        "{\"format\":[]}",
        "{\"format\":\"index:1.0\",\"index\":[]}",
        "{\"format\":\"index:1.0\",\"index\":{\"a\":1}}",
        "{\"format\":\"index:1.0\",\"index\":{\"a\":{\"path\":{}}}}",
        "{\"format\":\"index:1.0\"}{}",
        "{\"format\":\"index:1.0\"} x",
        "{\"format\":\"products:1.0\",\"products\":{\"a\":{\"aliases\":[\"b\"]}}}",
        "{\"format\":\"products:1.0\",\"products\":{\"a\":{\"versions\":{\"1\":{\"items\":"
            + "{\"i\":{\"size\":\"1\"}}}}}}}",
        "{\"format\":\"products:1.0\",\"products\":{\"a\":{\"versions\":{\"1\":{\"items\":"
            + "{\"i\":{\"size\":-1}}}}}}}",
        "{\"format\":\"products:1.0\",\"products\":{\"a\":{\"versions\":{\"1\":{\"items\":"
            + "{\"i\":{\"size\":99999999999999999999}}}}}}}"
      })
  void what_is_no_document_is_refused(String json) {
    refused(Kind.INVALID, "index: ", () -> index(json));
    refused(Kind.INVALID, "products: ", () -> products(json));
  }

  @Test
  void what_is_too_much_is_refused() {
    String deep = "[".repeat(100_000);
    refused(Kind.INVALID, "depth", () -> products("{\"more\":" + deep));
    refused(
        Kind.INVALID,
        "length",
        () -> products("{\"products\":{\"a\":{\"aliases\":\"" + "a".repeat(1 << 17) + "\"}}}"));
    refused(Kind.INVALID, "length", () -> products("{\"" + "a".repeat(1 << 12) + "\":1}"));
    StringBuilder many = new StringBuilder("{\"products\":{\"a\":{\"versions\":{");
    IntStream.range(0, 10_001).forEach(i -> many.append("\"" + i + "\":{},"));
    refused(Kind.INVALID, "allowed 10000 members", () -> products(many.toString()));
    StringBuilder files = new StringBuilder("{\"format\":\"index:1.0\",\"index\":{");
    IntStream.range(0, 101)
        .forEach(
            i ->
                files.append(
                    "\""
                        + i
                        + "\":{\"datatype\":\"image-downloads\",\"products\":[1],\"path\":\""
                        + i
                        + "\"},"));
    refused(Kind.INVALID, "allowed 100 files", () -> index(files.append("\"x\":{}}}").toString()));
  }
}
