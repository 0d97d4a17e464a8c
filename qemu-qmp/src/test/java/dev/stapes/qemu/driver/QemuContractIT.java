package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.TestGuest;
import dev.stapes.testkit.contract.InstanceDriverContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.PropertyDefaults;
import org.junit.jupiter.api.Tag;

/** What every driver must do, done by virtual machines that boot the test guest. */
@Tag("once")
@net.jqwik.api.Tag("once")
@RequiresRoot
@RequiresGuest
@RequiresTool("qemu-system-x86_64")
@RequiresTool("debugfs")
@PropertyDefaults(tries = 2, edgeCases = EdgeCasesMode.NONE)
class QemuContractIT extends InstanceDriverContract {
  private static final Map<String, String> FILES =
      Map.of(
          "/etc/inittab",
          """
          ::sysinit:/etc/rc
          ::respawn:/sbin/guest-agent
          ::respawn:/sbin/late-modules
          ttyS0::respawn:/sbin/contract
          ::shutdown:/etc/rc.shutdown
          """,
          "/usr/sbin/contract",
          """
          #!/bin/sh
          echo contract booted
          while read -r line; do echo "typed: $line"; done
          """,
          "/etc/passwd",
          "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001:user:/home/user:/bin/sh\n",
          "/etc/group",
          "root:x:0:\nuser:x:1001:\n",
          "/etc/not-a-program",
          "text\n");

  private static TestGuest guest() {
    return TestGuest.find().orElseThrow();
  }

  @Override
  protected InstanceDriverProvider provider() {
    return new QemuDriverProvider();
  }

  /** That of the test guest, with what the contract wants to find there. */
  @Override
  protected Machine.Disk root(Host host, Path directory) throws IOException {
    String disk = directory.resolve(Machine.Disk.IMAGE).toString();
    String from = guest().directory().resolve(Machine.Disk.IMAGE).toString();
    host.programs().run(Command.of("cp", "--sparse=always", "--reflink=auto", from, disk));
    StringBuilder script = new StringBuilder("mkdir /home\nmkdir /home/user\n");
    List<Path> written = new ArrayList<>();
    for (Map.Entry<String, String> file : FILES.entrySet()) {
      Path source = directory.resolve("file" + written.size());
      written.add(Files.writeString(source, file.getValue()));
      script.append("rm ").append(file.getKey()).append('\n');
      script.append("write ").append(source).append(' ').append(file.getKey()).append('\n');
    }
    script.append("sif /usr/sbin/contract mode 0100755\n");
    Path commands = directory.resolve("commands");
    written.add(Files.writeString(commands, script));
    host.programs().run(Command.of("debugfs", "-w", "-f", commands.toString(), disk));
    for (Path file : written) {
      Files.delete(file);
    }
    return new Machine.Disk(directory, Optional.empty(), Device.IoLimits.NONE);
  }

  @Override
  protected Map<String, String> config() {
    return Map.of(
        "qemu.kernel", guest().kernel().toString(),
        "qemu.initrd", guest().initrd().toString(),
        "qemu.kernel_arguments", guest().kernelArguments(),
        "limits.memory", "256MiB");
  }

  @Override
  protected boolean hasOwnKernel() {
    return true;
  }

  @Override
  protected List<String> end() {
    return List.of("poweroff", "-f");
  }
}
