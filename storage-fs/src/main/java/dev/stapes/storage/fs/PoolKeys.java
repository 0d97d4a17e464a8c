package dev.stapes.storage.fs;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.ConfigType;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** The config keys of the pools, under Incus's names. */
final class PoolKeys {
  static final ConfigKey<String> BLOCK_SOURCE =
      ConfigKey.of(
          "source",
          ConfigType.STRING,
          false,
          "A block device or an existing empty directory on Btrfs; absent: a loop file of Stapes's"
              + " own");
  static final ConfigKey<String> DIRECTORY_SOURCE =
      ConfigKey.of(
          "source",
          ConfigType.STRING,
          false,
          "An existing empty directory; absent: a directory of Stapes's own");
  static final ConfigKey<Size> SIZE =
      ConfigKey.of(
          "size",
          ConfigType.SIZE,
          false,
          "Size of the loop file; absent: 20 % of the free space, at least 5 GiB, at most 30 GiB");
  static final ConfigKey<String> MOUNT_OPTIONS =
      ConfigKey.of(
          "btrfs.mount_options",
          ConfigType.STRING,
          false,
          "Options of btrfs(5), separated by commas, beyond noatime and discard=async");

  private PoolKeys() {}

  /** A source as a path; refuses what depends on somebody's current directory. */
  static Path absolute(PoolContext pool, String source) {
    Path path;
    try {
      path = Path.of(source);
    } catch (InvalidPathException e) {
      throw new StapesException(
          Kind.INVALID, pool.subject(), "source is no path: \"" + source + "\"", e);
    }
    if (!path.isAbsolute()) {
      throw StapesException.invalid(
          pool.subject(), "source must be an absolute path: \"" + source + "\"");
    }
    return path.normalize();
  }

  static void validate(PoolSpec spec, List<ConfigKey<?>> keys) {
    new ConfigSchema(keys).validate("pool " + spec.name(), spec.config().values());
  }
}
