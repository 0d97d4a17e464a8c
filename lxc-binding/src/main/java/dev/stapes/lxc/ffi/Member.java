package dev.stapes.lxc.ffi;

import com.sun.jna.Function;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.util.Locale;

/**
 * The function pointers of {@code struct lxc_container}, in the order of {@code lxccontainer.h}.
 * The order is the binary interface: liblxc only ever appends, and all versions from 4.0.12 on
 * agree on these members. Only {@link ContainerCalls} and {@link ForkingCalls} call through them.
 */
enum Member {
  /** {@code is_defined}. */
  IS_DEFINED,
  /** {@code state}. */
  STATE,
  /** {@code is_running}. */
  IS_RUNNING,
  /** {@code freeze}. */
  FREEZE,
  /** {@code unfreeze}. */
  UNFREEZE,
  /** {@code init_pid}. */
  INIT_PID,
  /** {@code load_config}. */
  LOAD_CONFIG,
  /** {@code start}. */
  START,
  /** {@code startl}. */
  STARTL,
  /** {@code stop}. */
  STOP,
  /** {@code want_daemonize}. */
  WANT_DAEMONIZE,
  /** {@code want_close_all_fds}. */
  WANT_CLOSE_ALL_FDS,
  /** {@code config_file_name}. */
  CONFIG_FILE_NAME,
  /** {@code wait}. */
  WAIT,
  /** {@code set_config_item}. */
  SET_CONFIG_ITEM,
  /** {@code destroy}. */
  DESTROY,
  /** {@code save_config}. */
  SAVE_CONFIG,
  /** {@code create}. */
  CREATE,
  /** {@code createl}. */
  CREATEL,
  /** {@code rename}. */
  RENAME,
  /** {@code reboot}. */
  REBOOT,
  /** {@code shutdown}. */
  SHUTDOWN,
  /** {@code clear_config}. */
  CLEAR_CONFIG,
  /** {@code clear_config_item}. */
  CLEAR_CONFIG_ITEM,
  /** {@code get_config_item}. */
  GET_CONFIG_ITEM,
  /** {@code get_running_config_item}. */
  GET_RUNNING_CONFIG_ITEM,
  /** {@code get_keys}. */
  GET_KEYS,
  /** {@code get_interfaces}. */
  GET_INTERFACES,
  /** {@code get_ips}. */
  GET_IPS,
  /** {@code get_cgroup_item}. */
  GET_CGROUP_ITEM,
  /** {@code set_cgroup_item}. */
  SET_CGROUP_ITEM,
  /** {@code get_config_path}. */
  GET_CONFIG_PATH,
  /** {@code set_config_path}. */
  SET_CONFIG_PATH,
  /** {@code clone}. */
  CLONE,
  /** {@code console_getfd}. */
  CONSOLE_GETFD,
  /** {@code console}. */
  CONSOLE,
  /** {@code attach}. */
  ATTACH,
  /** {@code attach_run_wait}. */
  ATTACH_RUN_WAIT,
  /** {@code attach_run_waitl}. */
  ATTACH_RUN_WAITL,
  /** {@code snapshot}. */
  SNAPSHOT,
  /** {@code snapshot_list}. */
  SNAPSHOT_LIST,
  /** {@code snapshot_restore}. */
  SNAPSHOT_RESTORE,
  /** {@code snapshot_destroy}. */
  SNAPSHOT_DESTROY,
  /** {@code may_control}. */
  MAY_CONTROL,
  /** {@code add_device_node}. */
  ADD_DEVICE_NODE,
  /** {@code remove_device_node}. */
  REMOVE_DEVICE_NODE,
  /** {@code attach_interface}. */
  ATTACH_INTERFACE,
  /** {@code detach_interface}. */
  DETACH_INTERFACE,
  /** {@code checkpoint}. */
  CHECKPOINT,
  /** {@code restore}. */
  RESTORE,
  /** {@code destroy_with_snapshots}. */
  DESTROY_WITH_SNAPSHOTS,
  /** {@code snapshot_destroy_all}. */
  SNAPSHOT_DESTROY_ALL,
  /** {@code migrate}. */
  MIGRATE,
  /** {@code console_log}. */
  CONSOLE_LOG,
  /** {@code reboot2}. */
  REBOOT2,
  /** {@code mount}. */
  MOUNT,
  /** {@code umount}. */
  UMOUNT,
  /** {@code seccomp_notify_fd}. */
  SECCOMP_NOTIFY_FD,
  /** {@code seccomp_notify_fd_active}. */
  SECCOMP_NOTIFY_FD_ACTIVE,
  /** {@code init_pidfd}. */
  INIT_PIDFD,
  /** {@code devpts_fd}. */
  DEVPTS_FD;

  // name, configfile, pidfile, slock, privlock, numthreads (padded), lxc_conf, error_string,
  // error_num + daemonize (padded to one pointer), config_path
  private static final int POINTERS_BEFORE = 10;

  /** Bytes from the start of the structure. */
  long offset() {
    return ((long) POINTERS_BEFORE + ordinal()) * NativeLong.SIZE;
  }

  /** The name in C. */
  String cName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The function of a container.
   *
   * @throws LxcException where the pointer is null: this liblxc was built without it
   */
  Function of(Pointer container) {
    Pointer function = container.getPointer(offset());
    if (function == null) {
      throw new LxcException(cName(), "lxc_container", "not implemented by this liblxc");
    }
    return Function.getFunction(function);
  }
}
