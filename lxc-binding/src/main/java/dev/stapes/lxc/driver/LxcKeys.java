package dev.stapes.lxc.driver;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigType;
import java.util.List;

/** The config keys that only containers have; names and meanings are Incus's. */
final class LxcKeys {
  /** Root inside is root on the host. */
  static final ConfigKey<Boolean> PRIVILEGED =
      ConfigKey.of(
          "security.privileged",
          ConfigType.BOOL,
          "false",
          false,
          "Run without a user namespace: root inside is root on the host");

  /** Containers in the container. */
  static final ConfigKey<Boolean> NESTING =
      ConfigKey.of(
          "security.nesting",
          ConfigType.BOOL,
          "false",
          false,
          "Support containers inside, and subvolumes of their own");

  /** Host ids that no other container has. */
  static final ConfigKey<Boolean> ISOLATED =
      ConfigKey.of(
          "security.idmap.isolated",
          ConfigType.BOOL,
          "false",
          false,
          "Use host ids that no other isolated instance has");

  /** First host id of an isolated map. */
  static final ConfigKey<Long> BASE =
      ConfigKey.of(
          "security.idmap.base",
          ConfigType.integer(1, 0xFFFF_FFFEL),
          false,
          "First host id of an isolated id map");

  /** How many ids the map has. */
  static final ConfigKey<Long> SIZE =
      ConfigKey.of(
          "security.idmap.size",
          ConfigType.integer(1, 0xFFFF_FFFEL),
          false,
          "How many ids the id map has");

  /** Host ids that it gets as its own. */
  static final ConfigKey<String> RAW_IDMAP =
      ConfigKey.of(
          "raw.idmap",
          ConfigType.BLOB,
          false,
          "Lines of both|uid|gid, host ids, ids inside, laid over the id map");

  /** Lines for liblxc. */
  static final ConfigKey<String> RAW_LXC =
      ConfigKey.of("raw.lxc", ConfigType.BLOB, false, "Lines to add to the LXC configuration");

  /** A whole seccomp policy. */
  static final ConfigKey<String> RAW_SECCOMP =
      ConfigKey.of("raw.seccomp", ConfigType.BLOB, false, "A seccomp policy in liblxc's format");

  /** The usual denied calls. */
  static final ConfigKey<Boolean> DENY_DEFAULT =
      ConfigKey.of(
          "security.syscalls.deny_default",
          ConfigType.BOOL,
          "true",
          false,
          "Deny the system calls that reach the host's kernel");

  /** More denied calls. */
  static final ConfigKey<String> DENY =
      ConfigKey.of(
          "security.syscalls.deny", ConfigType.BLOB, false, "System calls to deny, one a line");

  /** The only allowed calls. */
  static final ConfigKey<String> ALLOW =
      ConfigKey.of(
          "security.syscalls.allow",
          ConfigType.BLOB,
          false,
          "System calls to allow, one a line; all others are denied");

  /** The program of an application container, in place of an init. */
  static final ConfigKey<String> ENTRYPOINT =
      ConfigKey.of(
          "oci.entrypoint",
          ConfigType.BLOB,
          false,
          "Program that runs in place of an init, as words of a shell");

  /** Where it starts. */
  static final ConfigKey<String> CWD =
      ConfigKey.of("oci.cwd", ConfigType.STRING, false, "Directory that oci.entrypoint starts in");

  /** Who it is. */
  static final ConfigKey<Long> OCI_UID =
      ConfigKey.of("oci.uid", ConfigType.integer(0, 0xFFFF_FFFEL), false, "User of oci.entrypoint");

  /** In which group. */
  static final ConfigKey<Long> OCI_GID =
      ConfigKey.of(
          "oci.gid", ConfigType.integer(0, 0xFFFF_FFFEL), false, "Group of oci.entrypoint");

  /** First host id of the map that this instance was given. */
  static final String VOLATILE_BASE = "volatile.idmap.base";

  /** All of them. */
  static final List<ConfigKey<?>> ALL =
      List.of(
          PRIVILEGED,
          NESTING,
          ISOLATED,
          BASE,
          SIZE,
          RAW_IDMAP,
          RAW_LXC,
          RAW_SECCOMP,
          DENY_DEFAULT,
          DENY,
          ALLOW,
          ENTRYPOINT,
          CWD,
          OCI_UID,
          OCI_GID);

  private LxcKeys() {}
}
