package dev.stapes.model;

import java.util.Arrays;

/** What a custom volume holds. Names are Incus's content types. */
public enum VolumeContent {
  /** A directory tree, which instances of any type have at a path. */
  FILESYSTEM("filesystem"),
  /** The bytes of a disk, which virtual machines have as one. */
  BLOCK("block"),
  /** An image of a CD or DVD, which virtual machines read and boot from. Nobody writes to it. */
  ISO("iso");

  private final String text;

  VolumeContent(String text) {
    this.text = text;
  }

  /** Incus's name of it. */
  public String text() {
    return text;
  }

  /**
   * That of a name.
   *
   * @throws StapesException INVALID, quoting the name
   */
  public static VolumeContent parse(String text) {
    return Arrays.stream(values())
        .filter(each -> each.text.equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                StapesException.invalid(
                    "content type", "must be filesystem, block or iso: \"" + text + "\""));
  }
}
