package dev.stapes.model;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A device of an instance. The variants are what Stapes models; {@link Raw} keeps whatever else a
 * driver may know. {@link #toConfig} and {@link #parse} translate to and from Incus's keys.
 */
public sealed interface Device {

  /** Incus's name of the type, such as {@code disk}. */
  String type();

  /** The keys and values that Incus would show, with {@code type}. */
  SortedMap<String, String> toConfig();

  /**
   * Reads a device from Incus's keys; a type that is not modelled becomes {@link Raw}.
   *
   * @param name for the errors
   * @throws StapesException INVALID where the type or a value is wrong, quoting it
   */
  static Device parse(String name, Map<String, String> config) {
    return DeviceCodec.parse(name, config);
  }

  /** The root disk, on the default pool and without a size limit. */
  static Disk root() {
    return disk("/", disk -> {});
  }

  /** The root disk. */
  static Disk root(Consumer<Disk.Builder> options) {
    return disk("/", options);
  }

  /** A disk: a custom volume of a pool, or a path of the host, at a path of the instance. */
  static Disk disk(String path, Consumer<Disk.Builder> options) {
    Disk.Builder builder = new Disk.Builder(path);
    options.accept(builder);
    return builder.build();
  }

  /** A disk that is mounted nowhere: a custom volume of a virtual machine that is block or ISO. */
  static Disk disk(Consumer<Disk.Builder> options) {
    return disk("", options);
  }

  /**
   * Storage at a path of the instance.
   *
   * @param path where it appears, absolute; {@code /} is the root disk. Empty: nowhere, as a custom
   *     volume that is a disk or a CD of a virtual machine itself. A virtual machine has a file or
   *     a block device as a disk that is mounted nowhere, whose serial is the device's name, and of
   *     which a running one sees with any update of it that it has grown, where it may write to it;
   *     its directories are mounted once its agent runs
   * @param source a path of the host (absolute), or the name of a custom volume of {@code pool},
   *     maybe followed by a directory in it, such as {@code data/www}; empty for the root disk
   * @param pool the pool; empty means the default pool for the root disk, and a host path otherwise
   * @param size at most so much data, where the pool has quotas; the root disk of a virtual machine
   *     has it in any pool: 10 GiB where it is empty, or that of a larger image
   * @param readOnly whether the instance may only read
   * @param recursive whether mounts below a host path come along
   * @param required whether the instance refuses to start without the source
   * @param limits I/O limits
   * @param bootPriority 0 or more; a virtual machine boots from what has the highest. Empty: 1 for
   *     the root disk, else 0
   * @param io how a virtual machine sees and uses it; containers have no choice
   */
  record Disk(
      String path,
      Optional<String> source,
      Optional<String> pool,
      Optional<Size> size,
      boolean readOnly,
      boolean recursive,
      boolean required,
      IoLimits limits,
      Optional<Integer> bootPriority,
      DiskIo io)
      implements Device {

    /** Validates paths, the priority, and that source and pool fit together. */
    public Disk {
      DeviceCodec.checkBootPriority("disk", bootPriority);
      DeviceCodec.checkDisk(path, source, pool, recursive);
    }

    /** Whether this is the root disk. */
    public boolean isRoot() {
      return path.equals("/");
    }

    /** The name of the custom volume, where it is one. */
    public Optional<String> volume() {
      return ofVolume().map(from -> from.contains("/") ? from.substring(0, slash(from)) : from);
    }

    /** The directory of the custom volume, without a slash in front, where it is not all of it. */
    public Optional<String> subdirectory() {
      return ofVolume()
          .filter(from -> from.contains("/"))
          .map(from -> from.substring(slash(from) + 1));
    }

    private Optional<String> ofVolume() {
      return pool.isPresent() ? source : Optional.empty();
    }

    private static int slash(String from) {
      return from.indexOf('/');
    }

    @Override
    public String type() {
      return "disk";
    }

    @Override
    public SortedMap<String, String> toConfig() {
      SortedMap<String, String> config = DeviceCodec.start(this);
      if (!path.isEmpty()) {
        config.put("path", path);
      }
      source.ifPresent(value -> config.put("source", value));
      pool.ifPresent(value -> config.put("pool", value));
      size.ifPresent(value -> config.put("size", value.toString()));
      DeviceCodec.flag(config, "readonly", readOnly, false);
      DeviceCodec.flag(config, "recursive", recursive, false);
      DeviceCodec.flag(config, "required", required, true);
      limits.read().ifPresent(value -> config.put("limits.read", value));
      limits.write().ifPresent(value -> config.put("limits.write", value));
      DeviceCodec.number(config, "boot.priority", bootPriority);
      io.bus().ifPresent(value -> config.put("io.bus", value.text()));
      io.cache().ifPresent(value -> config.put("io.cache", value.text()));
      return config;
    }

    /** Collects the options of a disk. */
    public static final class Builder {
      private final String path;
      private Optional<String> source = Optional.empty();
      private Optional<String> pool = Optional.empty();
      private Optional<Size> size = Optional.empty();
      private boolean readOnly;
      private boolean recursive;
      private boolean required = true;
      private Optional<String> read = Optional.empty();
      private Optional<String> write = Optional.empty();
      private Optional<Integer> bootPriority = Optional.empty();
      private Optional<DiskIo.Bus> bus = Optional.empty();
      private Optional<DiskIo.Cache> cache = Optional.empty();

      private Builder(String path) {
        this.path = path;
      }

      /** A path of the host. */
      public Builder source(String hostPath) {
        source = Optional.of(hostPath);
        return this;
      }

      /** A custom volume, or a directory in it, such as {@code data/www}. */
      public Builder volume(String poolName, String volumeName) {
        pool = Optional.of(poolName);
        source = Optional.of(volumeName);
        return this;
      }

      /** The pool of the root disk. */
      public Builder pool(String poolName) {
        pool = Optional.of(poolName);
        return this;
      }

      /** At most so much data. */
      public Builder size(Size limit) {
        size = Optional.of(limit);
        return this;
      }

      /** The instance may only read. */
      public Builder readOnly() {
        readOnly = true;
        return this;
      }

      /** Mounts below the host path come along. */
      public Builder recursive() {
        recursive = true;
        return this;
      }

      /** The instance starts without the disk where the source is missing. */
      public Builder optional() {
        required = false;
        return this;
      }

      /** At most so much per second, {@code 10MiB} or {@code 100iops}, where the host can. */
      public Builder limitRead(String rate) {
        read = Optional.of(rate);
        return this;
      }

      /** At most so much per second, {@code 10MiB} or {@code 100iops}, where the host can. */
      public Builder limitWrite(String rate) {
        write = Optional.of(rate);
        return this;
      }

      /** A virtual machine boots from what has the highest, 0 or more. */
      public Builder bootPriority(int priority) {
        bootPriority = Optional.of(priority);
        return this;
      }

      /** What a virtual machine has it on; virtio-blk by default. */
      public Builder bus(DiskIo.Bus wanted) {
        bus = Optional.of(wanted);
        return this;
      }

      /** What is kept of it in the memory of the host; {@code writeback} by default. */
      public Builder cache(DiskIo.Cache wanted) {
        cache = Optional.of(wanted);
        return this;
      }

      private Disk build() {
        return new Disk(
            path,
            source,
            pool,
            size,
            readOnly,
            recursive,
            required,
            new IoLimits(read, write),
            bootPriority,
            new DiskIo(bus, cache));
      }
    }
  }

  /**
   * Disk I/O per second: a {@link Size} in bytes or a number followed by {@code iops}.
   *
   * @param read empty for no limit
   * @param write empty for no limit
   */
  record IoLimits(Optional<String> read, Optional<String> write) {
    /** No limits. */
    public static final IoLimits NONE = new IoLimits(Optional.empty(), Optional.empty());

    /** Validates both. */
    public IoLimits {
      read.ifPresent(DeviceCodec::checkRate);
      write.ifPresent(DeviceCodec::checkRate);
    }
  }

  /**
   * How a virtual machine sees and uses a disk.
   *
   * @param bus empty: {@code virtio-blk}, of a directory {@code virtiofs}
   * @param cache empty: {@code writeback}
   */
  record DiskIo(Optional<Bus> bus, Optional<Cache> cache) {
    /** Without a choice. */
    public static final DiskIo USUAL = new DiskIo(Optional.empty(), Optional.empty());

    /** What a disk is on, in the eyes of the guest; {@code io.bus} of Incus. */
    public enum Bus {
      /** A device of its own, for guests with the driver. */
      VIRTIO_BLK("virtio-blk"),
      /** A disk of SCSI, on a controller of its own. */
      VIRTIO_SCSI("virtio-scsi"),
      /**
       * A controller of NVMe. A guest sees that such a disk has grown when it starts the next time,
       * and its memory cannot be saved, nor can it move while it runs.
       */
      NVME("nvme"),
      /** A stick, on a controller of its own; for guests that have no other driver. */
      USB("usb"),
      /** No disk: a directory. */
      VIRTIOFS("virtiofs");

      private final String text;

      Bus(String text) {
        this.text = text;
      }

      /** Incus's name of it. */
      public String text() {
        return text;
      }
    }

    /** What happens between a disk and its file; {@code io.cache} of Incus. */
    public enum Cache {
      /** Past the memory of the host, where the file system of the host can do that. */
      NONE("none"),
      /** In the memory of the host until the guest has it written down. */
      WRITEBACK("writeback"),
      /** The same, and never written down for the guest: the host decides when. */
      UNSAFE("unsafe");

      private final String text;

      Cache(String text) {
        this.text = text;
      }

      /** Incus's name of it. */
      public String text() {
        return text;
      }
    }
  }

  /**
   * A network interface.
   *
   * @param kind how it is connected
   * @param name its name inside, such as {@code eth0}; empty: the name of the device
   * @param hostName its name on the host; empty: generated
   * @param address MAC address, six pairs of hex digits; empty: generated
   * @param mtu 68 to 65535; empty: the kernel's default
   * @param bootPriority 0 or more; a virtual machine with UEFI boots from what has the highest.
   *     Empty: it does not boot from the network
   */
  record Nic(
      Kind kind,
      Optional<String> name,
      Optional<String> hostName,
      Optional<String> address,
      Optional<Integer> mtu,
      Optional<Integer> bootPriority)
      implements Device {

    /** How an interface is connected. */
    public enum Kind {
      /** A pair of which the host keeps one end, unconfigured. */
      P2P
    }

    /** Validates names, address, MTU and priority. */
    public Nic {
      DeviceCodec.checkBootPriority("nic", bootPriority);
      DeviceCodec.checkNic(name, hostName, address, mtu);
    }

    /** A point-to-point pair whose host end is left to the host. */
    public static Nic p2p() {
      return new Nic(
          Kind.P2P,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }

    /** The same with a name for the host's end, 1 to 15 characters. */
    public Nic hostName(String interfaceName) {
      return new Nic(kind, name, Optional.of(interfaceName), address, mtu, bootPriority);
    }

    /** The same with a MAC address. */
    public Nic address(String mac) {
      return new Nic(kind, name, hostName, Optional.of(mac), mtu, bootPriority);
    }

    /** The same with a priority that nobody has set. */
    public Nic withoutBootPriority() {
      return new Nic(kind, name, hostName, address, mtu, Optional.empty());
    }

    /** The same with a place among what a virtual machine boots from. */
    public Nic bootPriority(int priority) {
      return new Nic(kind, name, hostName, address, mtu, Optional.of(priority));
    }

    @Override
    public String type() {
      return "nic";
    }

    @Override
    public SortedMap<String, String> toConfig() {
      SortedMap<String, String> config = DeviceCodec.start(this);
      config.put("nictype", "p2p");
      name.ifPresent(value -> config.put("name", value));
      hostName.ifPresent(value -> config.put("host_name", value));
      address.ifPresent(value -> config.put("hwaddr", value));
      DeviceCodec.number(config, "mtu", mtu);
      DeviceCodec.number(config, "boot.priority", bootPriority);
      return config;
    }
  }

  /**
   * A character device.
   *
   * @param source its path on the host, absolute
   * @param path its path in the instance, absolute
   * @param uid owner inside, default 0
   * @param gid group inside, default 0
   * @param mode octal permission bits, default 0660
   * @param required whether the instance refuses to start without it
   */
  record UnixChar(String source, String path, long uid, long gid, int mode, boolean required)
      implements Device {

    /** Validates paths, ids and mode. */
    public UnixChar {
      DeviceCodec.checkUnixChar(source, path, uid, gid, mode);
    }

    /** The device at the same path inside, mode 0660, owned by root. */
    public static UnixChar of(String path) {
      return new UnixChar(path, path, 0, 0, 0660, true);
    }

    @Override
    public String type() {
      return "unix-char";
    }

    @Override
    public SortedMap<String, String> toConfig() {
      SortedMap<String, String> config = DeviceCodec.start(this);
      config.put("source", source);
      config.put("path", path);
      config.put("uid", Long.toString(uid));
      config.put("gid", Long.toString(gid));
      config.put("mode", "0" + Integer.toOctalString(mode));
      DeviceCodec.flag(config, "required", required, true);
      return config;
    }
  }

  /**
   * A TPM 2.0 of a virtual machine, which has one at most. What it keeps goes with the root disk:
   * into snapshots and copies, too.
   */
  record Tpm() implements Device {
    @Override
    public String type() {
      return "tpm";
    }

    @Override
    public SortedMap<String, String> toConfig() {
      return DeviceCodec.start(this);
    }
  }

  /** Nothing; hides an inherited device of the same name. */
  record None() implements Device {
    @Override
    public String type() {
      return "none";
    }

    @Override
    public SortedMap<String, String> toConfig() {
      return DeviceCodec.start(this);
    }
  }

  /**
   * A device that Stapes does not model; a driver may.
   *
   * @param type any type name
   * @param values all keys but {@code type}; copied
   */
  record Raw(String type, SortedMap<String, String> values) implements Device {
    /** Copies. */
    public Raw {
      values = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(values));
    }

    @Override
    public SortedMap<String, String> toConfig() {
      SortedMap<String, String> config = new TreeMap<>(values);
      config.put("type", type);
      return config;
    }
  }
}
