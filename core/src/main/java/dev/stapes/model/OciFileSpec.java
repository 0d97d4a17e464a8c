package dev.stapes.model;

import java.nio.file.Path;
import java.util.Optional;

/**
 * An image of an OCI image layout or of an archive of {@code docker save}, as it is asked for.
 *
 * @param path a directory or an archive
 * @param image which one of several is meant: its name, the end of that behind a slash or a colon,
 *     such as the tag, or its digest; empty: the only one
 * @param platform such as {@code linux/arm64} or {@code linux/arm/v7}; empty: the machine's own
 */
public record OciFileSpec(Path path, Optional<String> image, Optional<String> platform) {
  /** Refuses what is no name and no platform. */
  public OciFileSpec {
    image.ifPresent(
        text -> {
          if (text.isEmpty()) {
            throw StapesException.invalid("OCI image", "its name is empty");
          }
        });
    platform.ifPresent(OciImageSpec::requirePlatform);
  }

  /** The only image that is there, for this machine. */
  public static OciFileSpec of(Path path) {
    return new OciFileSpec(path, Optional.empty(), Optional.empty());
  }

  /** One of several. */
  public OciFileSpec image(String name) {
    return new OciFileSpec(path, Optional.of(name), platform);
  }

  /** For another platform than the machine's own. */
  public OciFileSpec platform(String name) {
    return new OciFileSpec(path, image, Optional.of(name));
  }

  /** As skopeo(1) writes it. */
  @Override
  public String toString() {
    return path + image.map(name -> ":" + name).orElse("");
  }
}
