package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Which system calls a container may use, as liblxc's policy file of version 2. Denied calls fail
 * with ENOSYS, as on a kernel that does not have them.
 */
public final class SeccompPolicy {
  private static final Pattern CALL = Pattern.compile("[a-z0-9_]{1,64}");
  private static final int ENOSYS = 38;

  /** Calls that reach the kernel of the host whatever namespace they come from. */
  private static final List<String> DANGEROUS =
      List.of(
          "kexec_load",
          "kexec_file_load",
          "open_by_handle_at",
          "init_module",
          "finit_module",
          "delete_module");

  /**
   * What makes subvolumes on Btrfs (ioctl-btrfs.h), which needs no privilege: SNAP_CREATE,
   * SUBVOL_CREATE, SNAP_CREATE_V2, SUBVOL_CREATE_V2.
   */
  private static final List<String> SUBVOLUME_IOCTLS =
      List.of("0x50009401", "0x5000940e", "0x50009417", "0x50009418");

  private static final int ENOTTY = 25;

  private final String text;

  private SeccompPolicy(String text) {
    this.text = text;
  }

  /** The usual one. */
  public static SeccompPolicy standard() {
    return deny(true, List.of());
  }

  /**
   * All calls but these.
   *
   * @param standard with the calls that {@link #standard} denies
   * @param denied names of system calls
   * @throws StapesException INVALID, quoting what is no name
   */
  public static SeccompPolicy deny(boolean standard, List<String> denied) {
    List<String> lines = new ArrayList<>(List.of("2", "denylist"));
    SortedSet<String> calls = checked(denied);
    if (standard) {
      lines.add("reject_force_umount");
      calls.addAll(DANGEROUS);
    }
    lines.add("[all]");
    calls.forEach(call -> lines.add(call + " errno " + ENOSYS));
    return new SeccompPolicy(String.join("\n", lines) + "\n");
  }

  /**
   * The same without the making of subvolumes, which no limit of the volume around them holds: as
   * on a file system that has none.
   */
  public SeccompPolicy withoutSubvolumes() {
    StringBuilder lines = new StringBuilder(text);
    for (String ioctl : SUBVOLUME_IOCTLS) {
      // The kernel looks at 32 bits of the request, so the rest must not make a difference.
      lines.append("ioctl errno " + ENOTTY);
      lines.append(" [1," + ioctl + ",SCMP_CMP_MASKED_EQ,0xffffffff]\n");
    }
    return new SeccompPolicy(lines.toString());
  }

  /** These calls and no others. */
  public static SeccompPolicy allow(List<String> allowed) {
    List<String> lines = new ArrayList<>(List.of("2", "allowlist", "[all]"));
    lines.addAll(checked(allowed));
    return new SeccompPolicy(String.join("\n", lines) + "\n");
  }

  /** A policy file's own text, {@code raw.seccomp}; liblxc judges it at the start. */
  public static SeccompPolicy raw(String policy) {
    if (policy.isBlank() || policy.indexOf('\0') >= 0) {
      throw StapesException.invalid("raw.seccomp", "not a policy: \"" + policy + "\"");
    }
    return new SeccompPolicy(policy.endsWith("\n") ? policy : policy + "\n");
  }

  /** The content of the file. */
  public String text() {
    return text;
  }

  private static SortedSet<String> checked(List<String> calls) {
    SortedSet<String> names = new TreeSet<>();
    for (String call : calls) {
      if (!CALL.matcher(call).matches()) {
        throw StapesException.invalid("seccomp", "not a system call: \"" + call + "\"");
      }
      Collections.addAll(names, call);
    }
    return names;
  }
}
