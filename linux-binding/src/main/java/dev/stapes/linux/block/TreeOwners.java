package dev.stapes.linux.block;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.Xattrs;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongUnaryOperator;

/**
 * Gives everything in a tree to other owners, with the ids in ACLs and file capabilities too. What
 * it does costs in the number of files; where idmapped mounts can do without, use those.
 */
public final class TreeOwners {
  private static final List<String> ACLS =
      List.of("system.posix_acl_access", "system.posix_acl_default");
  private static final String CAPABILITY = "security.capability";
  private static final int ITSELF = Constants.O_PATH | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;

  private static final int ACL_HEADER = 4;
  private static final int ACL_ENTRY = 8;
  private static final int ACL_ID = 4;
  private static final int ACL_USER = 0x02;
  private static final int ACL_GROUP = 0x08;

  private static final int CAPABILITY_2 = 20;
  private static final int CAPABILITY_3 = 24;
  private static final int REVISION_MASK = 0xFF000000;
  private static final int REVISION_2 = 0x02000000;
  private static final int REVISION_3 = 0x03000000;

  private final Syscalls sys;
  private final LongUnaryOperator uids;
  private final LongUnaryOperator gids;

  /**
   * A change of owners.
   *
   * @param uids the new uid of each old one
   * @param gids the new gid of each old one
   */
  public TreeOwners(Syscalls sys, LongUnaryOperator uids, LongUnaryOperator gids) {
    this.sys = sys;
    this.uids = uids;
    this.gids = gids;
  }

  /** Gives away a directory and all below it. */
  public void run(Fd directory) {
    Set<InodeKey> done = new HashSet<>();
    new TreeWalk(sys)
        .run(
            directory,
            new TreeWalk.Visitor() {
              @Override
              public void file(Fd parent, byte[] name, FileStat stat) {
                if (stat.links() == 1 || done.add(InodeKey.of(stat))) {
                  byName(parent, name);
                }
              }

              @Override
              public void enter(Fd parent, byte[] name, Fd entered, FileStat stat) {
                give(entered, stat);
              }

              @Override
              public void leave(Fd left, FileStat stat) {
                // given away when it was entered
              }
            });
    give(directory, directory.stat());
  }

  private void byName(Fd parent, byte[] name) {
    int number = sys.libc().openat(parent.number(), name, ITSELF, 0);
    String text = CString.decode(name, 0, name.length - 1);
    int found = sys.checkUnless(number, "openat", text, Errno.ENOENT);
    if (found >= 0) {
      try (Fd file = Fd.adopt(sys, found, text)) {
        give(file, file.stat());
      }
    }
  }

  private void give(Fd file, FileStat stat) {
    Xattrs xattrs = Xattrs.of(sys, file.path());
    List<String> names = names(xattrs);
    // chown(2) drops capabilities and set-id bits: both are put back.
    byte[] capability = names.contains(CAPABILITY) ? xattrs.get(CAPABILITY).orElse(null) : null;
    file.chown(uids.applyAsLong(stat.uid()), gids.applyAsLong(stat.gid()));
    switch (stat.kind()) {
      case FILE, DIRECTORY -> {
        if ((stat.permissions() & 06000) != 0) {
          file.chmod(stat.permissions());
        }
      }
      default -> {}
    }
    if (capability != null) {
      xattrs.set(CAPABILITY, capability(capability));
    }
    for (String acl : ACLS) {
      if (names.contains(acl)) {
        xattrs.get(acl).ifPresent(value -> xattrs.set(acl, acl(value)));
      }
    }
  }

  private static List<String> names(Xattrs xattrs) {
    try {
      return xattrs.list();
    } catch (LinuxException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return List.of();
      }
      throw e;
    }
  }

  /** {@code struct posix_acl_xattr_entry}: tag, permissions, id; little-endian. */
  byte[] acl(byte[] value) {
    ByteBuffer acl = ByteBuffer.wrap(value.clone()).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = ACL_HEADER; at + ACL_ENTRY <= value.length; at += ACL_ENTRY) {
      int tag = acl.getShort(at);
      long id = acl.getInt(at + ACL_ID) & 0xFFFFFFFFL;
      if (tag == ACL_USER) {
        acl.putInt(at + ACL_ID, (int) uids.applyAsLong(id));
      } else if (tag == ACL_GROUP) {
        acl.putInt(at + ACL_ID, (int) gids.applyAsLong(id));
      }
    }
    return acl.array();
  }

  /**
   * {@code struct vfs_ns_cap_data}: revision 3 ends with the uid of the root whose namespace it is
   * good for; revision 2 is that of the first one.
   */
  byte[] capability(byte[] value) {
    ByteBuffer old = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    boolean known = value.length == CAPABILITY_2 || value.length == CAPABILITY_3;
    if (!known) {
      return value;
    }
    long root = value.length == CAPABILITY_3 ? old.getInt(CAPABILITY_2) & 0xFFFFFFFFL : 0;
    long newRoot = uids.applyAsLong(root);
    int size = newRoot == 0 ? CAPABILITY_2 : CAPABILITY_3;
    ByteBuffer capability = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    capability.put(0, value, 0, CAPABILITY_2);
    int magic = capability.getInt(0) & ~REVISION_MASK;
    capability.putInt(0, magic | (newRoot == 0 ? REVISION_2 : REVISION_3));
    if (newRoot != 0) {
      capability.putInt(CAPABILITY_2, (int) newRoot);
    }
    return capability.array();
  }
}
