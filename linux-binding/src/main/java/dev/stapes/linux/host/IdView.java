package dev.stapes.linux.host;

import dev.stapes.linux.FileTree.Owner;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * Owners as the inside of a user namespace has them, where the kernel's answers and arguments are
 * the host's. That goes for two attributes too, which carry ids: file capabilities of version 3
 * (the root that they hold for, capabilities(7)) and access control lists (acl(5)).
 */
final class IdView {
  /** What an owner without a number in the map looks like, inside and on disk. */
  static final long NOBODY = 65534;

  private static final String CAPABILITY = "security.capability";
  private static final int CAPABILITY_V2_SIZE = 20;
  private static final int CAPABILITY_V3_SIZE = 24;
  private static final int VERSION_MASK = 0xFF000000;
  private static final int VERSION_2 = 0x02000000;
  private static final int VERSION_3 = 0x03000000;
  private static final int ACL_VERSION = 2;
  private static final int ACL_USER = 0x02;
  private static final int ACL_GROUP = 0x08;

  private final IdMapping mapping;

  IdView(IdMapping mapping) {
    this.mapping = mapping;
  }

  /** The inside's root: whom new files belong to. */
  Owner root() {
    return new Owner(hostUid("tree", 0), hostGid("tree", 0));
  }

  long hostUid(String subject, long uid) {
    return mapped(subject, "uid " + uid, mapping.hostUid(uid));
  }

  long hostGid(String subject, long gid) {
    return mapped(subject, "gid " + gid, mapping.hostGid(gid));
  }

  private static long mapped(String subject, String id, OptionalLong host) {
    return host.orElseThrow(
        () -> StapesException.invalid(subject, id + " is not in the id map of the tree"));
  }

  long insideUid(long uid) {
    return inside(mapping.uids(), uid);
  }

  long insideGid(long gid) {
    return inside(mapping.gids(), gid);
  }

  private static long inside(List<IdMapping.Range> ranges, long id) {
    for (IdMapping.Range range : ranges) {
      if (id >= range.outside() && id < range.outside() + range.count()) {
        return id - range.outside() + range.inside();
      }
    }
    return NOBODY;
  }

  /** An attribute's value as the kernel wants it. */
  byte[] xattrToHost(String path, String name, byte[] value) {
    if (name.equals(CAPABILITY)) {
      return capabilityToHost(path, value);
    }
    return isAcl(name) ? acl(value, id -> hostUid(path, id), id -> hostGid(path, id)) : value;
  }

  /** An attribute's value as the inside sees it. */
  byte[] xattrToInside(String name, byte[] value) {
    if (name.equals(CAPABILITY)) {
      return capabilityToInside(value);
    }
    return isAcl(name) ? acl(value, this::insideUid, this::insideGid) : value;
  }

  private byte[] capabilityToHost(String path, byte[] value) {
    ByteBuffer in = little(value);
    long root = 0;
    if (value.length == CAPABILITY_V3_SIZE) {
      root = in.getInt(CAPABILITY_V2_SIZE) & 0xFFFFFFFFL;
    } else if (value.length != CAPABILITY_V2_SIZE) {
      return value; // the kernel will say what it thinks of it
    }
    byte[] third = Arrays.copyOf(value, CAPABILITY_V3_SIZE);
    ByteBuffer out = little(third);
    out.putInt(0, (in.getInt(0) & ~VERSION_MASK) | VERSION_3);
    out.putInt(CAPABILITY_V2_SIZE, (int) hostUid(path, root));
    return third;
  }

  /** Those that hold for the inside's root are of version 2 there. */
  private byte[] capabilityToInside(byte[] value) {
    if (value.length != CAPABILITY_V3_SIZE) {
      return value;
    }
    long root = insideUid(little(value).getInt(CAPABILITY_V2_SIZE) & 0xFFFFFFFFL);
    byte[] inside = root == 0 ? Arrays.copyOf(value, CAPABILITY_V2_SIZE) : value.clone();
    ByteBuffer out = little(inside);
    if (root == 0) {
      out.putInt(0, (out.getInt(0) & ~VERSION_MASK) | VERSION_2);
    } else {
      out.putInt(CAPABILITY_V2_SIZE, (int) root);
    }
    return inside;
  }

  private static boolean isAcl(String name) {
    return name.equals("system.posix_acl_access") || name.equals("system.posix_acl_default");
  }

  private interface Ids {
    long of(long id);
  }

  /** A version, and entries of a tag, permissions and an id. */
  private static byte[] acl(byte[] value, Ids uids, Ids gids) {
    byte[] translated = value.clone();
    ByteBuffer acl = little(translated);
    if (value.length < 4 || value.length % 8 != 4 || acl.getInt(0) != ACL_VERSION) {
      return value;
    }
    for (int at = 4; at < value.length; at += 8) {
      int tag = acl.getShort(at);
      long id = acl.getInt(at + 4) & 0xFFFFFFFFL;
      if (tag == ACL_USER) {
        acl.putInt(at + 4, (int) uids.of(id));
      } else if (tag == ACL_GROUP) {
        acl.putInt(at + 4, (int) gids.of(id));
      }
    }
    return translated;
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
