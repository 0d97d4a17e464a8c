package dev.stapes.benchmarks.vm;

import dev.stapes.benchmarks.Lane;
import dev.stapes.benchmarks.Tool;
import dev.stapes.testkit.TestGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The command of {@code docs/lab-vm.md}, by hand: a qcow2 over the guest's disk, its agent. */
final class BareMachines {
  private final TestGuest guest;
  private final Path work;
  private final Path program;
  private final Supplier<String> names;

  /**
   * Has started nothing.
   *
   * @param work a directory of its own
   * @param program QEMU
   */
  BareMachines(TestGuest guest, Path work, Path program, Supplier<String> names) {
    this.guest = guest;
    this.work = work;
    this.program = program;
    this.names = names;
  }

  /** Its lane on a path. */
  Lane lane(VmPath path) {
    return switch (path) {
      case BOOT, SAVED -> new Boot();
    };
  }

  private String[] arguments(Path directory) {
    String drive = "driver=qcow2,node-name=d0,file.driver=file,file.filename=";
    return new String[] {
      "-M",
      "q35",
      "-accel",
      "tcg,thread=multi",
      "-cpu",
      "max",
      "-m",
      Integer.toString(OwnMachines.MEBIBYTES),
      "-smp",
      Integer.toString(OwnMachines.CPUS),
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-kernel",
      guest.kernel().toString(),
      "-initrd",
      guest.initrd().toString(),
      "-append",
      guest.kernelArguments(),
      "-blockdev",
      drive + directory.resolve("overlay.qcow2"),
      "-device",
      "virtio-blk-pci,drive=d0",
      "-serial",
      "file:" + directory.resolve("console"),
      "-device",
      "virtio-serial-pci",
      "-chardev",
      "socket,id=qga,path=" + directory.resolve("qga") + ",server=on,wait=off",
      "-device",
      "virtserialport,chardev=qga,name=org.qemu.guest_agent.0",
      "-qmp",
      "unix:" + directory.resolve("qmp") + ",server=on,wait=off"
    };
  }

  private final class Boot implements Lane {
    private Path directory = work;
    private @Nullable Process process;

    @Override
    public void before() throws IOException, InterruptedException {
      directory = Files.createDirectories(work.resolve(names.get()));
      new Tool("qemu-img")
          .run(
              "create",
              "-q",
              "-f",
              "qcow2",
              "-F",
              "qcow2",
              "-b",
              guest.disk().toString(),
              directory.resolve("overlay.qcow2").toString());
    }

    @Override
    public void run() throws IOException {
      process = new Tool(program.toString()).start(directory.resolve("log"), arguments(directory));
      try (BareAgent agent = BareAgent.connect(directory.resolve("qga"))) {
        agent.ping();
        agent.execute("/bin/true");
      }
    }

    @Override
    public void after() throws InterruptedException {
      if (process != null) {
        process.destroyForcibly().waitFor();
        process = null;
      }
    }

    @Override
    public void close() throws InterruptedException {
      after();
    }
  }
}
