package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Two images of six layers each in one OCI layout, {@link #FIRST} and {@link #SECOND}: five layers
 * are a root file system, which both share, and on top of them each has a program of its own.
 */
final class OciImages {
  /** The tag of the one that is there already. */
  static final String FIRST = "first";

  /** The tag of the one that is wanted. */
  static final String SECOND = "second";

  private static final String BASE = "base";

  /** The arguments of tar that select a layer, from the lowest on. */
  private static final List<List<String>> SHARED =
      List.of(
          List.of("--anchored", "--exclude=./usr", "--exclude=./var", "."),
          List.of("--anchored", "--exclude=./usr/lib", "--exclude=./usr/share", "./usr"),
          List.of("./usr/lib"),
          List.of("./usr/share"),
          List.of("./var"));

  private final Path rootfs;
  private final Path layout;
  private final Path scratch;
  private final Tool umoci = new Tool("umoci");

  private OciImages(Path rootfs, Path layout) {
    this.rootfs = rootfs;
    this.layout = layout;
    this.scratch = layout.resolveSibling("layer.tar");
  }

  /**
   * Makes them.
   *
   * @param rootfs a root file system
   * @param layout does not exist
   */
  static void make(Path rootfs, Path layout) throws IOException, InterruptedException {
    new OciImages(rootfs, layout).make();
  }

  private void make() throws IOException, InterruptedException {
    umoci.run("init", "--layout", layout.toString());
    umoci.run("new", "--image", image(BASE));
    umoci.run("config", "--image", image(BASE), "--config.cmd", "/bin/true");
    for (List<String> layer : SHARED) {
      add(BASE, layer);
    }
    for (String tag : List.of(FIRST, SECOND)) {
      umoci.run("tag", "--image", image(BASE), tag);
      add(tag, List.of("--transform=flags=rh;s,^\\./,./opt/" + tag + "/,", "./usr/bin", "./etc"));
    }
  }

  private String image(String tag) {
    return layout + ":" + tag;
  }

  private void add(String tag, List<String> selection) throws IOException, InterruptedException {
    new Tool(
            "tar",
            "-C",
            rootfs.toString(),
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
            "--sort=name",
            "-cf",
            scratch.toString())
        .run(selection.toArray(new String[0]));
    umoci.run("raw", "add-layer", "--image", image(tag), scratch.toString());
    Files.delete(scratch);
  }
}
