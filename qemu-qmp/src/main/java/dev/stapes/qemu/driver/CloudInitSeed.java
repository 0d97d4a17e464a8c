package dev.stapes.qemu.driver;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.InstanceKeys;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What cloud-init(1) in a guest is to do at its first start, as its data source NoCloud reads it: a
 * small file system labelled {@code cidata}.
 *
 * @param files by name; copied
 */
record CloudInitSeed(SortedMap<String, String> files) {
  /** By which cloud-init finds it. */
  static final String LABEL = "cidata";

  /** Of the instance, in the directory of a machine that runs. */
  static final String FILE = "seed.iso";

  private static final String META_DATA = "user.meta-data";
  private static final String NOTHING_TO_DO = "#cloud-config\n{}\n";
  private static final int HASH_BYTES = 8;

  /** Copies. */
  CloudInitSeed {
    files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
  }

  /** That of an instance; empty: its config has nothing for cloud-init. */
  static Optional<CloudInitSeed> of(Machine.Spec spec) {
    Config config = spec.config();
    Optional<String> user = text(config, InstanceKeys.CLOUD_INIT_USER_DATA);
    Optional<String> vendor = text(config, InstanceKeys.CLOUD_INIT_VENDOR_DATA);
    Optional<String> network = text(config, InstanceKeys.CLOUD_INIT_NETWORK_CONFIG);
    Optional<String> meta = config.text(META_DATA);
    if (user.or(() -> vendor).or(() -> network).or(() -> meta).isEmpty()) {
      return Optional.empty();
    }
    SortedMap<String, String> files = new TreeMap<>();
    files.put("user-data", user.orElse(NOTHING_TO_DO));
    files.put("vendor-data", vendor.orElse(NOTHING_TO_DO));
    network.ifPresent(text -> files.put("network-config", text));
    String about = "local-hostname: \"" + spec.name() + "\"\n" + meta.orElse("") + "\n";
    files.put("meta-data", about);
    String id = spec.id().value() + "-" + hash(files);
    files.put("meta-data", "instance-id: \"" + id + "\"\n" + about);
    return Optional.of(new CloudInitSeed(files));
  }

  /** The value of a key, or of that which Incus had before it. */
  private static Optional<String> text(Config config, ConfigKey<String> key) {
    return config.get(key).or(() -> config.text(key.name().replace("cloud-init.", "user.")));
  }

  /** Another one for other files: cloud-init takes the instance for a new one then. */
  private static String hash(SortedMap<String, String> files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Map.Entry<String, String> file : files.entrySet()) {
        digest.update((file.getKey() + "\0" + file.getValue() + "\0").getBytes(UTF_8));
      }
      return HexFormat.of().formatHex(digest.digest(), 0, HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The file system. */
  byte[] image() {
    SortedMap<String, byte[]> bytes = new TreeMap<>();
    files.forEach((name, text) -> bytes.put(name, text.getBytes(UTF_8)));
    return IsoImage.of(LABEL, bytes);
  }

  /**
   * Writes it for a machine that is about to start. Nobody but root may read it: it may have
   * secrets.
   *
   * @param directory of the machine, empty as yet
   * @return the file
   */
  Path write(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    try (SeekableByteChannel channel =
        Files.newByteChannel(
            file,
            EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer all = ByteBuffer.wrap(image());
      while (all.hasRemaining()) {
        channel.write(all);
      }
    }
    return file;
  }
}
