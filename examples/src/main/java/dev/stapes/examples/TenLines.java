package dev.stapes.examples;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Size;
import java.io.PrintStream;
import java.nio.file.Path;

/** The ten lines of the README. */
public final class TenLines {
  private TenLines() {}

  /**
   * Runs them.
   *
   * @param root where Stapes keeps what it makes
   * @param out where the first machine says its name
   */
  public static void run(Path root, PrintStream out) {
    try (Stapes stapes = Stapes.open(root)) {
      stapes.images().importFrom(ImageSources.busybox(), "busybox");
      Instance web =
          stapes
              .instances()
              .launch(
                  InstanceSpec.container("web", "busybox")
                      .limits(limits -> limits.cpus(2).memory(Size.ofMebibytes(512)))
                      .build());
      out.print(web.exec("hostname").orThrow().stdout());
      web.snapshots().create("clean");
      Instance copy = web.copyTo("web-2"); // a copy-on-write clone: milliseconds
      web.snapshots().restore("clean");
      web.delete(Delete.FORCE);
      copy.delete();
    }
  }
}
