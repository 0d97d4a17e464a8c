package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.FileTree.Owner;
import dev.stapes.model.IdMapping;
import dev.stapes.model.IdMapping.Range;
import dev.stapes.model.StapesException;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class IdViewTest {
  private final IdView ids =
      new IdView(
          new IdMapping(
              List.of(new Range(0, 1_000_000, 65536), new Range(70_000, 5, 2)),
              List.of(new Range(0, 2_000_000, 65536))));

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  @Test
  void owners_are_translated_both_ways() {
    assertEquals(new Owner(1_000_000, 2_000_000), ids.root());
    assertEquals(1_000_033, ids.hostUid("f", 33));
    assertEquals(6, ids.hostUid("f", 70_001));
    assertEquals(2_000_033, ids.hostGid("f", 33));
    assertEquals(33, ids.insideUid(1_000_033));
    assertEquals(70_001, ids.insideUid(6));
    assertEquals(65534, ids.insideUid(0));
    assertEquals(65534, ids.insideGid(6));
    StapesException e = assertThrows(StapesException.class, () -> ids.hostUid("f", 70_002));
    assertEquals("f: uid 70002 is not in the id map of the tree", e.getMessage());
  }

  @Property
  void an_owner_inside_survives_the_round_trip(@ForAll @LongRange(max = 65535) long id) {
    assertEquals(id, ids.insideUid(ids.hostUid("f", id)));
    assertEquals(id, ids.insideGid(ids.hostGid("f", id)));
  }

  @Test
  void file_capabilities_hold_for_the_roots_of_each_side() {
    // getcap: cap_net_raw=ep, as the inside writes it and as the host must.
    byte[] inside = bytes("01000002 00200000 00000000 00000000 00000000");
    byte[] host = bytes("01000003 00200000 00000000 00000000 00000000 40420f00");
    assertArrayEquals(host, ids.xattrToHost("f", "security.capability", inside));
    assertArrayEquals(inside, ids.xattrToInside("security.capability", host));
    byte[] foreign = bytes("01000003 00200000 00000000 00000000 00000000 07000000");
    byte[] seen = bytes("01000003 00200000 00000000 00000000 00000000 feff0000");
    assertArrayEquals(seen, ids.xattrToInside("security.capability", foreign));
    byte[] odd = bytes("0102");
    assertSame(odd, ids.xattrToHost("f", "security.capability", odd));
  }

  @Test
  void named_users_and_groups_of_an_acl_are_translated() {
    String owner = "02000000 0100 0700 ffffffff ";
    byte[] inside = bytes(owner + "0200 0500 21000000 0400 0500 ffffffff 0800 0400 22000000");
    byte[] host = bytes(owner + "0200 0500 61420f00 0400 0500 ffffffff 0800 0400 a2841e00");
    assertArrayEquals(host, ids.xattrToHost("f", "system.posix_acl_access", inside));
    assertArrayEquals(inside, ids.xattrToInside("system.posix_acl_default", host));
    byte[] other = bytes("00");
    assertSame(other, ids.xattrToHost("f", "user.anything", other));
  }
}
