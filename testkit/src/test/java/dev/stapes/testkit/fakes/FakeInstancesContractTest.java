package dev.stapes.testkit.fakes;

import dev.stapes.model.Device;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.contract.InstanceDriverContract;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.PropertyDefaults;

@PropertyDefaults(tries = 100, edgeCases = EdgeCasesMode.NONE)
class FakeInstancesContractTest extends InstanceDriverContract {
  @Override
  protected InstanceDriverProvider provider() {
    return FakeInstances.in(FakeMachineRoom.create())
        .init(ContractPrograms::init)
        .program("sh", ContractPrograms::sh)
        .program(
            "reboot",
            call -> {
              call.guest().orElseThrow().end(new Machine.Exit("reboot", true));
              return 0;
            });
  }

  @Override
  protected Host openHost() {
    return FakeHost.create();
  }

  @Override
  protected Path parent() {
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  @Override
  protected Machine.Disk root(Host host, Path directory) throws IOException {
    host.mounts().mount("contract", directory, "tmpfs", Set.of(), "");
    try (Tree tree = host.tree(directory, Tree.Resolution.IN_ROOT)) {
      for (String path : new String[] {"etc", "home", "root", "tmp"}) {
        tree.mkdir(path, 0755);
      }
      write(tree, "etc/passwd", "user:x:1000:1001:user:/home/user:/bin/sh\n");
      write(tree, "etc/not-a-program", "text\n");
    }
    return new Machine.Disk(directory, Optional.empty(), Device.IoLimits.NONE);
  }

  private static void write(Tree tree, String path, String text) throws IOException {
    try (OutputStream out = tree.write(path, 0644)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A fake leaves nothing on the machine but files, which the contract looks at itself. */
  @Override
  protected Set<String> leftovers(Path directory, String tag) {
    return Set.of();
  }
}
