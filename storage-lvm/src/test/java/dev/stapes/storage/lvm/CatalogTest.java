package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a pool knows of its volumes and twins. */
class CatalogTest {
  private static final ThinVolume FIRST = volume("first");
  private static final ThinVolume SECOND = volume("second");

  private final Catalog catalog = new Catalog("pool p", PoolContent.none(pool()));

  private static ThinVolume volume(String name) {
    return ThinVolume.block(new VolumeId(VolumeId.Kind.SNAPSHOT, name), 1 << 20);
  }

  private static PoolVolumes pool() {
    Lvm lvm = new Lvm(FakeHost.create(), "pool p", List.of());
    return PoolVolumes.thin(lvm, FakeLvm.GROUP, "thin");
  }

  private static Twin received(String name, ThinVolume owner, String content, String sum) {
    return new Twin(name, owner.name(), content, Optional.of(sum));
  }

  @Test
  void a_twin_whose_volume_is_gone_is_trash_at_once() {
    catalog.put(FIRST);
    catalog.add(new Twin("v1", FIRST.name(), "v1", Optional.empty()));
    assertEquals(Set.of(), catalog.trash());
    assertTrue(catalog.twin("v1").isPresent());
    catalog.discarded(FIRST);
    catalog.add(new Twin("v2", FIRST.name(), "v2", Optional.empty()));
    assertEquals(Set.of(FIRST.name(), "v1", "v2"), catalog.trash());
    assertEquals(Optional.empty(), catalog.twin("v2"));
  }

  @Test
  void a_content_that_came_twice_is_there_as_long_as_one_of_both_is() {
    catalog.put(FIRST);
    catalog.put(SECOND);
    assertEquals("vc", catalog.contentName("vc", "sum", "v1"));
    catalog.add(received("v1", FIRST, "vc", "sum"));
    assertEquals("vc", catalog.contentName("vc", "sum", "v2"));
    catalog.add(received("v2", SECOND, "vc", "sum"));
    catalog.discarded(FIRST);
    assertEquals(Optional.of("v2"), catalog.twin("vc").map(Twin::name));
  }

  @Test
  void who_says_that_he_is_what_is_there_and_is_not_gets_another_name() {
    catalog.put(FIRST);
    catalog.add(received("v1", FIRST, "vc", "sum"));
    assertEquals("v2", catalog.contentName("vc", "another sum", "v2"));
  }

  /** Nobody has read what was not received. */
  @Test
  void who_says_that_he_is_a_volume_of_the_pool_itself_gets_another_name() {
    catalog.put(FIRST);
    catalog.add(new Twin("v1", FIRST.name(), "v1", Optional.empty()));
    assertEquals("v2", catalog.contentName("v1", "sum", "v2"));
  }

  @Test
  void a_difference_has_another_sum_for_each_base() {
    byte[] digest = {1, 2, 3};
    Twin one = received("v1", FIRST, "vc", "sum");
    Twin other = received("v1", FIRST, "vc", "another sum");
    Twin own = new Twin("v1", FIRST.name(), "vc", Optional.empty());
    String sum = Twin.sum(digest, Optional.of(one));
    assertEquals(sum, Twin.sum(digest, Optional.of(received("v9", SECOND, "vd", "sum"))));
    assertNotEquals(sum, Twin.sum(digest, Optional.of(other)));
    assertNotEquals(sum, Twin.sum(digest, Optional.of(own)));
    assertNotEquals(sum, Twin.sum(digest, Optional.empty()));
  }

  @Test
  void what_somebody_keeps_is_no_trash_until_the_last_lets_it_go() {
    catalog.put(FIRST);
    catalog.keep(FIRST.name());
    catalog.keep(FIRST.name());
    catalog.discarded(FIRST);
    assertEquals(Set.of(), catalog.trash());
    catalog.letGo(FIRST.name());
    assertEquals(Set.of(), catalog.trash());
    catalog.letGo(FIRST.name());
    assertEquals(Set.of(FIRST.name()), catalog.trash());
  }
}
