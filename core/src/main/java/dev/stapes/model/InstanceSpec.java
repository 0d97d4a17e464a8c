package dev.stapes.model;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * An instance that is asked for.
 *
 * @param name see {@link Names#instance}
 * @param type container or virtual machine
 * @param image alias, fingerprint (or a unique prefix of 8 characters and more) of an image in the
 *     store; empty: an empty root disk
 * @param description free text
 * @param lifetime how long it lives
 * @param config config keys; copied
 * @param devices by name; a root disk is added on the default pool where there is none; copied
 * @param imageMounted see {@link Builder#imageMounted}
 */
public record InstanceSpec(
    String name,
    InstanceType type,
    Optional<String> image,
    String description,
    Lifetime lifetime,
    Config config,
    SortedMap<String, Device> devices,
    boolean imageMounted) {

  /**
   * Validates the name, the device names, that there is at most one root disk, and that only a
   * throwaway container has its image mounted.
   */
  public InstanceSpec {
    Names.instance(name);
    devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
    devices.keySet().forEach(Names::device);
    long roots =
        devices.values().stream().filter(d -> d instanceof Device.Disk k && k.isRoot()).count();
    if (roots > 1) {
      throw StapesException.invalid("instance " + name, "has " + roots + " root disks");
    }
    if (imageMounted && (lifetime != Lifetime.THROWAWAY || image.isEmpty())) {
      throw StapesException.invalid(
          "instance " + name, "only a throwaway instance of an image can have it mounted");
    }
    if (imageMounted && type == InstanceType.VIRTUAL_MACHINE) {
      throw StapesException.invalid(
          "instance " + name, "a virtual machine cannot have its image mounted");
    }
  }

  /** One that does not have its image mounted. */
  public InstanceSpec(
      String name,
      InstanceType type,
      Optional<String> image,
      String description,
      Lifetime lifetime,
      Config config,
      SortedMap<String, Device> devices) {
    this(name, type, image, description, lifetime, config, devices, false);
  }

  /** A container from an image. */
  public static Builder container(String name, String image) {
    return new Builder(name, InstanceType.CONTAINER, Optional.of(image));
  }

  /** A container with an empty root disk. */
  public static Builder emptyContainer(String name) {
    return new Builder(name, InstanceType.CONTAINER, Optional.empty());
  }

  /** A virtual machine from an image. */
  public static Builder virtualMachine(String name, String image) {
    return new Builder(name, InstanceType.VIRTUAL_MACHINE, Optional.of(image));
  }

  /** A virtual machine with an empty root disk, to be installed from something else. */
  public static Builder emptyVirtualMachine(String name) {
    return new Builder(name, InstanceType.VIRTUAL_MACHINE, Optional.empty());
  }

  /** Collects the options; the last call of an option holds. */
  public static final class Builder {
    private final String name;
    private final InstanceType type;
    private final Optional<String> image;
    private final TreeMap<String, String> config = new TreeMap<>();
    private final TreeMap<String, Device> devices = new TreeMap<>();
    private String description = "";
    private Lifetime lifetime = Lifetime.DURABLE;
    private boolean imageMounted;

    private Builder(String name, InstanceType type, Optional<String> image) {
      this.name = name;
      this.type = type;
      this.image = image;
    }

    /** Free text, default empty. */
    public Builder description(String text) {
      description = text;
      return this;
    }

    /** How long it lives, default {@link Lifetime#DURABLE}. */
    public Builder lifetime(Lifetime howLong) {
      lifetime = howLong;
      return this;
    }

    /**
     * Has the kernel read the image's file system where it is, instead of unpacking it first: the
     * first instance of an image is there at once. For throwaway instances of split images whose
     * root file system is a squashfs; where the pool has the image unpacked, that is used. Needs
     * Linux 6.2. Only for images that are trusted: the kernel does not defend itself against a file
     * system that was made to harm it.
     */
    public Builder imageMounted() {
      imageMounted = true;
      return this;
    }

    /** Resource limits, default none. */
    public Builder limits(Consumer<Limits.Builder> options) {
      config.putAll(Limits.of(options).entries());
      return this;
    }

    /** One config key. */
    public Builder config(String key, String value) {
      config.put(key, value);
      return this;
    }

    /** Several config keys. */
    public Builder config(Map<String, String> values) {
      config.putAll(values);
      return this;
    }

    /** A variable of every program that is executed in the instance. */
    public Builder environment(String variable, String value) {
      return config("environment." + variable, value);
    }

    /** A device. */
    public Builder device(String deviceName, Device device) {
      devices.put(deviceName, device);
      return this;
    }

    /** The spec. */
    public InstanceSpec build() {
      return new InstanceSpec(
          name, type, image, description, lifetime, Config.of(config), devices, imageMounted);
    }
  }
}
