package dev.stapes.examples.survival;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.Transport;
import dev.stapes.testkit.Faults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * As {@link Doomed}, while a machine moves from one root directory to another, over TCP, with an
 * interface and with a file that both see.
 */
public final class DoomedMove {
  /** What the machine is called in the first root directory. */
  static final String HERE = "here";

  /** And in the other one. */
  static final String THERE = "there";

  private DoomedMove() {}

  /** Says that it has come to a stage, where it stays until it is killed. */
  static final String REACHED = "reached ";

  /** Says how many effects the move has had. */
  static final String EFFECTS = "effects ";

  /** Arguments: the two root directories, and n or the stage of the move in which it stays. */
  public static void main(String[] arguments) throws IOException {
    String end = arguments[2];
    Path data = Path.of(arguments[0]).resolveSibling("data");
    Files.write(data, new byte[1 << 20]);
    Faults faults = new Faults(Doomed.ofInterest()).count();
    try (Stapes source = Doomed.open(Path.of(arguments[0]), "dir", faults);
        Stapes target = Doomed.open(Path.of(arguments[1]), "dir", faults)) {
      Instance moving =
          source
              .instances()
              .launch(
                  Machines.statefulSpec(HERE)
                      .device("data", Device.disk("/data", disk -> disk.source(data.toString())))
                      .device("eth0", Device.Nic.p2p())
                      .build());
      if (end.matches("[0-9]+")) {
        int n = Integer.parseInt(end);
        faults.failNth(n, () -> Doomed.die(faults, n));
      }
      Instance unusedMoved =
          moving.migrateTo(
              target,
              THERE,
              Transport.tcp(),
              (stage, done, total) -> stay(stage.equals(end), stage));
      System.out.println(EFFECTS + faults.effects());
    }
  }

  private static void stay(boolean forEver, String stage) {
    if (forEver) {
      System.out.println(REACHED + stage);
      System.out.flush();
      while (true) {
        LockSupport.park();
      }
    }
  }
}
