package dev.stapes.model;

import java.util.List;

/**
 * The config keys of every instance, whatever its driver; names and meanings are Incus's. A driver
 * adds its own ({@code raw.*}, {@code security.*}) through its SPI.
 */
public final class InstanceKeys {
  private static final ConfigType<Long> COUNT = ConfigType.integer(0, Integer.MAX_VALUE);
  private static final ConfigType<Long> ANY =
      ConfigType.integer(Integer.MIN_VALUE, Integer.MAX_VALUE);
  private static final ConfigType<Long> LEVEL = ConfigType.integer(0, 10);

  /** Start when the root directory is opened. */
  public static final ConfigKey<Boolean> BOOT_AUTOSTART =
      ConfigKey.of("boot.autostart", ConfigType.BOOL, "false", true, "Start with Stapes.open");

  /** Seconds to wait after this instance was auto-started before the next. */
  public static final ConfigKey<Long> BOOT_AUTOSTART_DELAY =
      ConfigKey.of("boot.autostart.delay", COUNT, "0", true, "Seconds to wait after the autostart");

  /** Higher starts earlier. */
  public static final ConfigKey<Long> BOOT_AUTOSTART_PRIORITY =
      ConfigKey.of("boot.autostart.priority", ANY, "0", true, "Higher starts earlier");

  /** Start again when it ends by itself, at most 10 times a minute. */
  public static final ConfigKey<Boolean> BOOT_AUTORESTART =
      ConfigKey.of(
          "boot.autorestart", ConfigType.BOOL, "false", true, "Start again when it ends by itself");

  /** Seconds a graceful stop may take. */
  public static final ConfigKey<Long> BOOT_HOST_SHUTDOWN_TIMEOUT =
      ConfigKey.of(
          "boot.host_shutdown_timeout", COUNT, "30", true, "Seconds a graceful stop may take");

  /** When snapshots are made by {@code SnapshotSchedules.runDue}. */
  public static final ConfigKey<String> SNAPSHOTS_SCHEDULE =
      ConfigKey.of(
          "snapshots.schedule",
          new ConfigType<>("string", InstanceKeys::checkSchedule),
          true,
          "When snapshots are made: five fields of cron, or @hourly, @daily, @weekly, @monthly,"
              + " @yearly, @startup");

  /** Whether that holds while the instance does not run. */
  public static final ConfigKey<Boolean> SNAPSHOTS_SCHEDULE_STOPPED =
      ConfigKey.of(
          "snapshots.schedule.stopped",
          ConfigType.BOOL,
          "false",
          true,
          "Whether scheduled snapshots are made of an instance that does not run");

  /** CPUs: a count, a range {@code 0-3} or a set {@code 0,2}. */
  public static final ConfigKey<String> LIMITS_CPU =
      ConfigKey.of("limits.cpu", LimitTypes.CPU, true, "Number or set of CPUs");

  /** Share of CPU time: {@code 50%} (soft) or {@code 25ms/100ms} (hard). */
  public static final ConfigKey<String> LIMITS_CPU_ALLOWANCE =
      ConfigKey.of("limits.cpu.allowance", LimitTypes.ALLOWANCE, "100%", true, "Share of CPU time");

  /** Who comes first where instances share CPUs, 0 to 10. */
  public static final ConfigKey<Long> LIMITS_CPU_PRIORITY =
      ConfigKey.of("limits.cpu.priority", LEVEL, "10", true, "CPU priority, 0 to 10");

  /** NUMA nodes, such as {@code 0} or {@code 0-1}. */
  public static final ConfigKey<String> LIMITS_CPU_NODES =
      ConfigKey.of("limits.cpu.nodes", LimitTypes.LIST, true, "NUMA nodes");

  /** Who comes first at the disks under load, 0 to 10. */
  public static final ConfigKey<Long> LIMITS_DISK_PRIORITY =
      ConfigKey.of("limits.disk.priority", LEVEL, "5", true, "Disk priority, 0 to 10");

  /** Memory, in bytes or as a share of the host's: {@code 512MiB}, {@code 50%}. */
  public static final ConfigKey<String> LIMITS_MEMORY =
      ConfigKey.of("limits.memory", LimitTypes.MEMORY, true, "Memory, a size or a percentage");

  /** {@code hard}: never above the limit; {@code soft}: above it while the host has memory. */
  public static final ConfigKey<String> LIMITS_MEMORY_ENFORCE =
      ConfigKey.of(
          "limits.memory.enforce", ConfigType.oneOf("hard", "soft"), "hard", true, "hard or soft");

  /** Swap: {@code true}, {@code false} or a size. */
  public static final ConfigKey<String> LIMITS_MEMORY_SWAP =
      ConfigKey.of("limits.memory.swap", LimitTypes.SWAP, "true", true, "true, false or a size");

  /** The higher the later it is swapped out, 0 to 10. */
  public static final ConfigKey<Long> LIMITS_MEMORY_SWAP_PRIORITY =
      ConfigKey.of("limits.memory.swap.priority", LEVEL, "10", true, "Swap priority, 0 to 10");

  /** At most so many processes and threads. */
  public static final ConfigKey<Long> LIMITS_PROCESSES =
      ConfigKey.of(
          "limits.processes",
          ConfigType.integer(1, Integer.MAX_VALUE),
          true,
          "Processes and threads");

  /** Resource limits of the first process, such as {@code limits.kernel.nofile}. */
  public static final ConfigKey<String> LIMITS_KERNEL =
      ConfigKey.of(
          "limits.kernel.*", LimitTypes.RLIMIT_TYPE, false, "setrlimit(2) value: soft[:hard]");

  /** What cloud-init in it is to do. */
  public static final ConfigKey<String> CLOUD_INIT_USER_DATA =
      ConfigKey.of(
          "cloud-init.user-data",
          ConfigType.BLOB,
          false,
          "What cloud-init does at the first start; user.user-data where it is not set");

  /** What cloud-init does besides, by default. */
  public static final ConfigKey<String> CLOUD_INIT_VENDOR_DATA =
      ConfigKey.of(
          "cloud-init.vendor-data",
          ConfigType.BLOB,
          false,
          "Defaults of what cloud-init does; user.vendor-data where it is not set");

  /** How cloud-init sets up its network. */
  public static final ConfigKey<String> CLOUD_INIT_NETWORK_CONFIG =
      ConfigKey.of(
          "cloud-init.network-config",
          ConfigType.BLOB,
          false,
          "How cloud-init sets up the network; user.network-config where it is not set");

  /** Environment of every program that is executed in the instance. */
  public static final ConfigKey<String> ENVIRONMENT =
      ConfigKey.of("environment.*", ConfigType.STRING, true, "Environment variable");

  /** Refuse to delete. */
  public static final ConfigKey<Boolean> PROTECTION_DELETE =
      ConfigKey.of(
          "security.protection.delete", ConfigType.BOOL, "false", true, "Refuse to delete");

  /** Refuse to start. */
  public static final ConfigKey<Boolean> PROTECTION_START =
      ConfigKey.of("security.protection.start", ConfigType.BOOL, "false", true, "Refuse to start");

  /** Whatever the embedding program keeps here. */
  public static final ConfigKey<String> USER =
      ConfigKey.of("user.*", ConfigType.BLOB, true, "Free for the embedding program");

  /** Properties of the image that it was made from. */
  public static final ConfigKey<String> IMAGE =
      ConfigKey.of("image.*", ConfigType.STRING, true, "Properties of the image");

  /** What the engine and the drivers remember. */
  public static final ConfigKey<String> VOLATILE =
      ConfigKey.of("volatile.*", ConfigType.BLOB, true, "Remembered by the engine and drivers");

  /** All of the above. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          List.of(
              BOOT_AUTOSTART,
              BOOT_AUTOSTART_DELAY,
              BOOT_AUTOSTART_PRIORITY,
              BOOT_AUTORESTART,
              BOOT_HOST_SHUTDOWN_TIMEOUT,
              LIMITS_CPU,
              LIMITS_CPU_ALLOWANCE,
              LIMITS_CPU_PRIORITY,
              LIMITS_CPU_NODES,
              LIMITS_DISK_PRIORITY,
              LIMITS_MEMORY,
              LIMITS_MEMORY_ENFORCE,
              LIMITS_MEMORY_SWAP,
              LIMITS_MEMORY_SWAP_PRIORITY,
              LIMITS_PROCESSES,
              LIMITS_KERNEL,
              CLOUD_INIT_USER_DATA,
              CLOUD_INIT_VENDOR_DATA,
              CLOUD_INIT_NETWORK_CONFIG,
              ENVIRONMENT,
              PROTECTION_DELETE,
              PROTECTION_START,
              SNAPSHOTS_SCHEDULE,
              SNAPSHOTS_SCHEDULE_STOPPED,
              VolumeKeys.SNAPSHOTS_EXPIRY,
              VolumeKeys.SNAPSHOTS_PATTERN,
              USER,
              IMAGE,
              VOLATILE));

  private InstanceKeys() {}

  private static String checkSchedule(String text) {
    SnapshotSchedule.parse(text);
    return text;
  }
}
