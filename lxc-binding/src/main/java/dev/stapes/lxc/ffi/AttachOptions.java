package dev.stapes.lxc.ffi;

import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import com.sun.jna.Structure.FieldOrder;
import org.jspecify.annotations.Nullable;

/**
 * {@code lxc_attach_options_t}: how a program is attached to a container. A new one has the values
 * of {@code LXC_ATTACH_OPTIONS_DEFAULT}.
 */
@FieldOrder({
  "attach_flags",
  "namespaces",
  "personality",
  "initial_cwd",
  "uid",
  "gid",
  "env_policy",
  "extra_env_vars",
  "extra_keep_env",
  "stdin_fd",
  "stdout_fd",
  "stderr_fd",
  "log_fd",
  "lsm_label",
  "groups_size",
  "groups_list"
})
public final class AttachOptions extends CStruct {
  /** {@code LXC_ATTACH_MOVE_TO_CGROUP}. */
  public static final int MOVE_TO_CGROUP = 0x0000_0001;

  /** {@code LXC_ATTACH_DROP_CAPABILITIES}. */
  public static final int DROP_CAPABILITIES = 0x0000_0002;

  /** {@code LXC_ATTACH_SET_PERSONALITY}. */
  public static final int SET_PERSONALITY = 0x0000_0004;

  /** {@code LXC_ATTACH_LSM_EXEC}. */
  public static final int LSM_EXEC = 0x0000_0008;

  /** {@code LXC_ATTACH_REMOUNT_PROC_SYS}. */
  public static final int REMOUNT_PROC_SYS = 0x0001_0000;

  /** {@code LXC_ATTACH_NO_NEW_PRIVS}. */
  public static final int NO_NEW_PRIVS = 0x0004_0000;

  /** {@code LXC_ATTACH_TERMINAL}. */
  public static final int TERMINAL = 0x0008_0000;

  /** {@code LXC_ATTACH_LSM_LABEL}. */
  public static final int LSM_LABEL = 0x0010_0000;

  /** {@code LXC_ATTACH_SETGROUPS}. */
  public static final int SETGROUPS = 0x0020_0000;

  /** {@code LXC_ATTACH_DEFAULT}. */
  public static final int DEFAULT = 0x0000_FFFF;

  /** {@code LXC_ATTACH_KEEP_ENV}. */
  public static final int KEEP_ENV = 0;

  /** {@code LXC_ATTACH_CLEAR_ENV}. */
  public static final int CLEAR_ENV = 1;

  private static final int EBADF = 9;

  /** Flags of this class, or-ed. */
  public int attach_flags = DEFAULT;

  /** {@code CLONE_NEW*} flags of the namespaces to enter; -1: all. */
  public int namespaces = -1;

  /** Personality; -1: detected. */
  public NativeLong personality = new NativeLong(-1);

  /** Working directory; null: the current one. */
  public @Nullable String initial_cwd;

  /** User id inside; -1: that of the container's init. */
  public int uid = -1;

  /** Group id inside; -1: that of the container's init. */
  public int gid = -1;

  /** {@link #KEEP_ENV} or {@link #CLEAR_ENV}. */
  public int env_policy = KEEP_ENV;

  /** Null-terminated {@code NAME=value} strings to add. */
  public @Nullable Pointer extra_env_vars;

  /** Null-terminated names to keep. */
  public @Nullable Pointer extra_keep_env;

  /** Standard input. */
  public int stdin_fd = 0;

  /** Standard output. */
  public int stdout_fd = 1;

  /** Standard error. */
  public int stderr_fd = 2;

  /** Log; {@code -EBADF}: none. */
  public int log_fd = -EBADF;

  /** Label for {@link #LSM_LABEL}. */
  public @Nullable String lsm_label;

  /** {@code groups.size}: number of additional groups. */
  public NativeLong groups_size = new NativeLong(0);

  /** {@code groups.list}: {@code gid_t[]}. */
  public @Nullable Pointer groups_list;

  /** With the defaults of {@code LXC_ATTACH_OPTIONS_DEFAULT}. */
  public AttachOptions() {
    super();
  }
}
