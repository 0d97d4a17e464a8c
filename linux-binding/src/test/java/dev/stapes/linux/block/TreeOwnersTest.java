package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TreeOwnersTest {
  private final TreeOwners in =
      new TreeOwners(Syscalls.system(), id -> id + 1_000_000, id -> id + 2_000_000);
  private final TreeOwners out =
      new TreeOwners(Syscalls.system(), id -> id - 1_000_000, id -> id - 2_000_000);

  private static byte[] acl() {
    ByteBuffer acl = ByteBuffer.allocate(4 + 4 * 8).order(ByteOrder.LITTLE_ENDIAN);
    acl.putInt(2);
    acl.putShort((short) 0x01).putShort((short) 7).putInt(-1); // the owner
    acl.putShort((short) 0x02).putShort((short) 6).putInt(1000); // a user
    acl.putShort((short) 0x08).putShort((short) 5).putInt(100); // a group
    acl.putShort((short) 0x20).putShort((short) 4).putInt(-1); // others
    return acl.array();
  }

  @Test
  void users_and_groups_in_an_acl_change_and_nothing_else_does() {
    byte[] changed = in.acl(acl());
    ByteBuffer entries = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(-1, entries.getInt(4 + 4));
    assertEquals(1_001_000, entries.getInt(12 + 4));
    assertEquals(2_000_100, entries.getInt(20 + 4));
    assertEquals(-1, entries.getInt(28 + 4));
    assertArrayEquals(acl(), out.acl(changed));
  }

  @Test
  void a_capability_is_good_for_the_new_root_only() {
    byte[] plain =
        ByteBuffer.allocate(20)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0x02000001)
            .putInt(1 << 10)
            .array();
    byte[] inside = in.capability(plain);
    ByteBuffer read = ByteBuffer.wrap(inside).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(24, inside.length);
    assertEquals(0x03000001, read.getInt(0));
    assertEquals(1 << 10, read.getInt(4));
    assertEquals(1_000_000, read.getInt(20));
    assertArrayEquals(plain, out.capability(inside));
  }

  @Test
  void a_capability_of_a_revision_to_come_is_left_alone() {
    byte[] unknown = {1, 2, 3};
    assertArrayEquals(unknown, in.capability(unknown));
  }
}
