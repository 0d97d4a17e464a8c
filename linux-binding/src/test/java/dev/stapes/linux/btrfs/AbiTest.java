package dev.stapes.linux.btrfs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.CompiledProbe;
import dev.stapes.testkit.RequiresTool;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares every number with what the C compiler of this machine says. */
@RequiresTool("gcc")
class AbiTest {
  private static final List<String> HEADERS =
      List.of(
          "stddef.h",
          "stdio.h",
          "linux/types.h",
          "linux/fs.h",
          "linux/btrfs.h",
          "linux/btrfs_tree.h",
          "sys/ioctl.h");

  /** The longest first: one is the beginning of another. */
  private static final List<String> STRUCTS =
      List.of(
          "btrfs_ioctl_vol_args_v2",
          "btrfs_ioctl_vol_args",
          "btrfs_ioctl_ino_lookup_args",
          "btrfs_ioctl_get_subvol_info_args",
          "btrfs_ioctl_search_args",
          "btrfs_ioctl_search_key",
          "btrfs_ioctl_search_header",
          "btrfs_ioctl_quota_ctl_args",
          "btrfs_ioctl_quota_rescan_args",
          "btrfs_ioctl_qgroup_create_args",
          "btrfs_ioctl_qgroup_limit_args",
          "btrfs_ioctl_send_args",
          "btrfs_ioctl_received_subvol_args",
          "btrfs_root_ref",
          "btrfs_qgroup_info_item",
          "btrfs_qgroup_status_item",
          "file_clone_range");

  /** Members that are reached through another one. */
  private static final Map<String, String> INNER =
      Map.of("lim_flags", "lim.flags", "lim_max_rfer", "lim.max_rfer");

  @Test
  void every_number_is_the_compilers(@TempDir Path directory) throws Exception {
    Map<String, Long> ours = CompiledProbe.constants(Abi.class, MethodHandles.lookup());
    ours.remove("QGROUP_LEVEL_SHIFT"); // a macro of btrfs-progs only
    assertTrue(ours.size() > 60, "only " + ours.size());
    CompiledProbe probe = new CompiledProbe(directory, HEADERS);
    ours.keySet().forEach(name -> probe.print(name, expression(name)));
    CompiledProbe.assertSame(ours, probe.values());
  }

  private static String expression(String name) {
    for (String struct : STRUCTS) {
      if (name.startsWith(struct + "_")) {
        String member = name.substring(struct.length() + 1);
        return member.equals("SIZEOF")
            ? "sizeof(struct " + struct + ")"
            : "offsetof(struct " + struct + ", " + INNER.getOrDefault(member, member) + ")";
      }
    }
    return name;
  }
}
