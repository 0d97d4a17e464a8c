package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.image.Architectures;
import dev.stapes.internal.image.simplestreams.Product.Item;
import dev.stapes.internal.image.simplestreams.Product.Version;
import dev.stapes.model.ImageServerSpec.Form;
import dev.stapes.model.InstanceType;
import dev.stapes.model.RemoteImage;
import dev.stapes.model.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A version of a product in files that make an image.
 *
 * @param archive all of it, or all but the root file system
 * @param rootfs the root file system, or the disk
 */
record Offer(
    Product product,
    Version version,
    InstanceType type,
    Item archive,
    Optional<Item> rootfs,
    String fingerprint) {
  private static final List<String> METADATA = List.of("incus.tar.xz", "lxd.tar.xz");
  private static final List<String> UNIFIED =
      List.of("incus_combined.tar.gz", "lxd_combined.tar.gz");
  private static final List<String> DISKS = List.of("disk-kvm.img", "uefi1.img", "disk1.img");

  /**
   * What a version offers: at most one container image, in the first form that is whole, and at
   * most one of a virtual machine.
   */
  static List<Offer> of(Product product, Version version, List<Form> forms) {
    List<Offer> offers = new ArrayList<>();
    forms.stream()
        .flatMap(form -> of(product, version, form))
        .filter(offer -> offer.type() == InstanceType.CONTAINER)
        .findFirst()
        .ifPresent(offers::add);
    Stream.concat(
            DISKS.stream().flatMap(disk -> split(product, version, disk)),
            unified(product, version))
        .filter(offer -> offer.type() == InstanceType.VIRTUAL_MACHINE)
        .findFirst()
        .ifPresent(offers::add);
    return offers;
  }

  private static Stream<Offer> of(Product product, Version version, Form form) {
    return switch (form) {
      case SQUASHFS -> split(product, version, "squashfs");
      case TAR -> split(product, version, "root.tar.xz");
      case UNIFIED -> unified(product, version);
    };
  }

  private static Stream<Offer> unified(Product product, Version version) {
    return UNIFIED.stream()
        .flatMap(type -> version.item(type).stream())
        .map(
            item ->
                new Offer(
                    product,
                    version,
                    item.combinedType().equals(InstanceType.VIRTUAL_MACHINE.toString())
                        ? InstanceType.VIRTUAL_MACHINE
                        : InstanceType.CONTAINER,
                    item,
                    Optional.empty(),
                    item.sha256()));
  }

  private static Stream<Offer> split(Product product, Version version, String type) {
    return METADATA.stream()
        .flatMap(name -> version.item(name).stream())
        .flatMap(
            metadata ->
                version.item(type).stream()
                    .flatMap(rootfs -> split(product, version, metadata, rootfs)));
  }

  private static Stream<Offer> split(Product product, Version version, Item metadata, Item rootfs) {
    boolean disk = DISKS.contains(rootfs.type());
    return fingerprint(metadata, rootfs.type()).stream()
        .map(
            fingerprint ->
                new Offer(
                    product,
                    version,
                    disk ? InstanceType.VIRTUAL_MACHINE : InstanceType.CONTAINER,
                    metadata,
                    Optional.of(rootfs),
                    fingerprint));
  }

  /** Without one nobody could tell whether the files belong together. */
  private static Optional<String> fingerprint(Item metadata, String type) {
    String member =
        switch (type) {
          case "root.tar.xz" -> "combined_rootxz_sha256";
          default -> "combined_" + type.replace('.', '-') + "_sha256";
        };
    Optional<String> found = Optional.ofNullable(metadata.combined().get(member));
    return type.equals("root.tar.xz")
        ? found.or(() -> Optional.ofNullable(metadata.combined().get("combined_sha256")))
        : found;
  }

  /** The kernel's name of its architecture. */
  String architecture() {
    return Architectures.kernelName(product.fact("arch"));
  }

  /** What the server says of it, by the names that Incus has for that. */
  SortedMap<String, String> properties() {
    SortedMap<String, String> properties = new TreeMap<>();
    product.requirements().forEach((key, value) -> properties.put("requirements." + key, value));
    for (String fact : List.of("os", "release", "version", "variant")) {
      properties.put(fact, product.fact(fact));
    }
    properties.put("architecture", product.fact("arch"));
    properties.put("label", version.label());
    properties.put("serial", version.serial());
    properties.put("type", rootfs.map(Item::type).orElse("tar.gz"));
    properties.put("description", description());
    properties.values().removeIf(String::isEmpty);
    return properties;
  }

  private String description() {
    StringBuilder text = new StringBuilder(product.fact("os"));
    text.append(' ').append(product.fact("release_title"));
    text.append(' ').append(product.fact("arch"));
    String variant = product.fact("variant").equals("default") ? "" : product.fact("variant");
    for (String part : List.of(variant, version.label(), version.serial())) {
      if (!part.isEmpty()) {
        text.append(" (").append(part).append(')');
      }
    }
    return text.toString();
  }

  /** For the caller. */
  RemoteImage image() {
    long size = archive.size() + rootfs.map(Item::size).orElse(0L);
    return new RemoteImage(
        product.name(),
        new TreeSet<>(product.aliases()),
        fingerprint,
        architecture(),
        type,
        version.serial(),
        Size.ofBytes(size),
        properties());
  }
}
