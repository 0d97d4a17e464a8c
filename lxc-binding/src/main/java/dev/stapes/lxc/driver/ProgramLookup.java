package dev.stapes.lxc.driver;

import dev.stapes.model.Config;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Finds the program of an application in its root file system, as execvp(3) would: to start without
 * it leaves nothing but an exit code.
 *
 * @param root the file system
 * @param directory where the program starts
 */
record ProgramLookup(Tree root, String directory) {
  /** Where the container finds what the root file system has not. */
  private static final Pattern MOUNTED = Pattern.compile("/*(dev|proc|sys)(/.*)?");

  private static final int EXECUTABLE = 0111;

  private enum Found {
    YES,
    NOT_EXECUTABLE,
    NO
  }

  /**
   * Refuses a program that cannot be executed.
   *
   * @param program a path, or a name to look for in the PATH of the instance
   * @throws StapesException INVALID, quoting it
   */
  void require(String program, Config config) {
    if (program.indexOf('/') >= 0) {
      require(program, look(program.startsWith("/") ? program : directory + "/" + program));
      return;
    }
    Optional<String> path = config.text(ContainerPlan.ENVIRONMENT + "PATH");
    if (path.isEmpty()) {
      return; // what executes it has a list of its own
    }
    Found best = Found.NO;
    for (String each : path.get().split(":", -1)) {
      String place = each.startsWith("/") ? each : directory + "/" + each;
      Found found = look(place + "/" + program);
      best = found.compareTo(best) < 0 ? found : best;
    }
    require(program, best);
  }

  private static void require(String program, Found found) {
    if (found != Found.YES) {
      throw StapesException.invalid(
          "config key oci.entrypoint",
          found == Found.NO
              ? "there is no such program in the instance: \"" + program + "\""
              : "cannot be executed: \"" + program + "\"");
    }
  }

  private Found look(String path) {
    if (MOUNTED.matcher(path).matches()) {
      return Found.YES;
    }
    try {
      return root.stat(path).map(stat -> look(path, stat)).orElse(Found.NO);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND || e.kind() == Kind.INVALID) {
        return Found.NO; // something on the way is no directory, or a link without an end
      }
      throw e;
    }
  }

  private Found look(String path, Tree.Stat stat) {
    return switch (stat.type()) {
      case FILE -> (stat.mode() & EXECUTABLE) != 0 ? Found.YES : Found.NOT_EXECUTABLE;
      case SYMLINK -> lookBehind(path);
      default -> Found.NOT_EXECUTABLE;
    };
  }

  /** Only to be opened is a link followed. */
  private Found lookBehind(String path) {
    String target = root.readlink(path);
    if (MOUNTED.matcher(target).matches()) {
      return Found.YES;
    }
    try {
      root.read(path).close();
      return Found.YES;
    } catch (StapesException e) {
      return e.kind() == Kind.NOT_FOUND ? Found.NO : Found.NOT_EXECUTABLE;
    } catch (IOException e) {
      return Found.YES; // opened it was
    }
  }
}
