package dev.stapes.storage.fs;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Options of overlayfs, as mount(2) takes them. */
final class OverlayOptions {
  /** mount(2) copies one page of options; some of it is left for the kernel. */
  static final int MOST = 4000;

  /**
   * {@code redirect_dir} so that a program can rename a directory of the lower layer, as it can
   * everywhere else. {@code index} would tie an upper layer to its lower for ever, and {@code
   * metacopy} keep data in it that only the upper knows of.
   */
  private static final String COMMON = "redirect_dir=on,index=off,metacopy=off";

  private OverlayOptions() {}

  /**
   * A writable overlay.
   *
   * @param lowers the uppermost first
   */
  static String writable(List<Path> lowers, Path upper, Path work) {
    return "lowerdir="
        + joined(lowers)
        + ",upperdir="
        + escaped(upper)
        + ",workdir="
        + escaped(work)
        + ","
        + COMMON;
  }

  /**
   * An overlay without an upper layer.
   *
   * @param lowers at least two, the uppermost first
   */
  static String readOnly(List<Path> lowers) {
    return "lowerdir=" + joined(lowers) + ",redirect_dir=follow,index=off,metacopy=off";
  }

  /** An overlay that cannot be mounted, but is refused in a telling way. */
  static String probe(Path lower, Path upper, Path work) {
    return "lowerdir="
        + escaped(lower)
        + ",upperdir="
        + escaped(upper)
        + ",workdir="
        + escaped(work);
  }

  private static String joined(List<Path> lowers) {
    return lowers.stream().map(OverlayOptions::escaped).collect(Collectors.joining(":"));
  }

  private static String escaped(Path path) {
    return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }
}
