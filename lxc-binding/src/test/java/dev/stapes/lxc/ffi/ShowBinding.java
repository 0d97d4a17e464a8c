package dev.stapes.lxc.ffi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes down what the binding says of the liblxc that it is run with. */
final class ShowBinding {
  private ShowBinding() {}

  /**
   * Runs.
   *
   * @param arguments an absolute path for containers, a file to write
   */
  public static void main(String[] arguments) throws IOException {
    Liblxc library =
        Liblxc.probe()
            .ifFound()
            .orElseThrow(() -> new IllegalStateException(Liblxc.probe().toString()));
    List<String> lines = new ArrayList<>();
    try (ContainerCalls container = library.container("shown", arguments[0])) {
      container.setConfigItem("lxc.uts.name", "six");
      lines.add("version " + library.version());
      lines.add("name " + container.configItem("lxc.uts.name").orElse("?"));
      lines.add("state " + container.state());
      lines.add("defined " + container.isDefined());
      lines.add("init " + container.initPid() + " " + container.initPidfd());
      lines.add("devpts " + container.devptsFd());
    }
    Files.write(Path.of(arguments[1]), lines);
  }
}
