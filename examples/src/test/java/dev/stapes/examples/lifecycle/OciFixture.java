package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.examples.image.Registry;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A registry of its own for each test, and a root file system for the images in it. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("tini-static")
@RequiresTool("docker-registry")
@RequiresTool("skopeo")
@RequiresKernel("btrfs")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class OciFixture {
  static final Duration SOON = Duration.ofMinutes(1);

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  Path directory;
  Path base;
  Registry registry;

  @BeforeEach
  void start() throws IOException, InterruptedException {
    directory = BENCH.root().resolve("oci-" + BENCH.name());
    registry = new Registry(directory.resolve("registry"), false);
    base = Files.createDirectories(directory.resolve("base"));
    Files.createDirectories(base.resolve("bin"));
    Files.createDirectories(base.resolve("etc"));
    Files.copy(Path.of("/bin/busybox"), base.resolve("bin/busybox"));
    for (String applet :
        List.of(
            "sh", "id", "pwd", "env", "cat", "sleep", "true", "ls", "yes", "kill", "stty", "touch",
            "stat")) {
      Files.createSymbolicLink(base.resolve("bin").resolve(applet), Path.of("busybox"));
    }
    Files.writeString(
        base.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\napp:x:1234:99::/srv/app:/bin/sh\n");
    Files.writeString(base.resolve("etc/group"), "root:x:0:\nteam:x:77:\n");
    Files.writeString(base.resolve("etc/gone"), "below\n");
  }

  @AfterEach
  void stop() throws IOException {
    BENCH
        .stapes()
        .instances()
        .list()
        .forEach(info -> Workbench.forceDelete(BENCH.stapes().instances().get(info.name())));
    for (ImageInfo image : BENCH.stapes().images().list()) {
      if (!image.aliases().contains("busybox")) {
        BENCH.stapes().images().delete(image.fingerprint());
      }
    }
    registry.close();
    Workbench.removeAll(directory);
  }

  final ImageInfo bring(String image, Map<String, Object> config, Path... layers)
      throws IOException, InterruptedException {
    registry.push(registry.layout(image, config, layers), image);
    return BENCH.stapes().images().importFrom(ImageSources.oci(registry.name() + "/" + image));
  }

  static Map<String, Object> program(String script) {
    return new TreeMap<>(Map.of("Entrypoint", List.of("/bin/sh", "-c"), "Cmd", List.of(script)));
  }

  final Instance create(ImageInfo image) {
    return BENCH
        .stapes()
        .instances()
        .create(InstanceSpec.container(BENCH.name(), image.fingerprint()).build());
  }

  /** The same with another config. */
  final Instance create(ImageInfo image, Map<String, String> config) {
    InstanceSpec.Builder spec = InstanceSpec.container(BENCH.name(), image.fingerprint());
    config.forEach(spec::config);
    return BENCH.stapes().instances().create(spec.build());
  }

  /** What it has said once it has said this; it need not run any more. */
  static String awaitLog(Instance instance, String end) throws IOException {
    StringBuilder log = new StringBuilder();
    try (InputStream follow = instance.consoleLog().follow()) {
      while (log.indexOf(end) < 0) {
        int next = follow.read();
        assertTrue(next >= 0, () -> "it has ended with: " + log);
        if (next != '\r') {
          log.append((char) next);
        }
      }
    }
    return log.toString();
  }

  /** Starts one that ends by itself, and gives how it did. */
  static InstanceInfo.Exit runToItsEnd(Instance instance) {
    instance.start();
    instance.await(InstanceStatus.STOPPED, SOON);
    return instance.info().lastExit().orElseThrow();
  }

  static String log(Instance instance) {
    return instance.consoleLog().text().replace("\r", "");
  }
}
