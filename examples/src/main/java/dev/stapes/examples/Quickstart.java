package dev.stapes.examples;

import dev.stapes.Console;
import dev.stapes.Delete;
import dev.stapes.ExecProcess;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceState;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The main job, step by step, each with the time it took: an image, an unprivileged container,
 * exec, files, state, console, snapshot, restore, clone, rename, stop, delete; and nothing is left.
 *
 * <p>Arguments: {@code --image busybox|debian} (default busybox) and {@code --root DIRECTORY}
 * (default: a new directory below the build directory, which is removed).
 */
public final class Quickstart {
  private static final Duration GRACE = Duration.ofSeconds(20);

  private final Stapes stapes;
  private final Steps steps;
  private final String image;

  private Quickstart(Stapes stapes, Steps steps, String image) {
    this.stapes = stapes;
    this.steps = steps;
    this.image = image;
  }

  /** Runs it; exit code 1 where a step fails. */
  public static void main(String[] arguments) throws IOException {
    Options options;
    try {
      options = Options.parse(List.of(arguments));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    }
    try {
      run(options, System.out);
    } catch (StapesException e) {
      System.err.println(e.kind() + ": " + e.getMessage());
      System.exit(1);
    }
  }

  static void run(Options options, PrintStream out) throws IOException {
    Steps steps = new Steps(out);
    Files.createDirectories(options.root());
    try {
      Stapes stapes = steps.time("open " + options.root(), () -> Stapes.open(options.root()));
      try (stapes) {
        runOn(stapes, steps, options.image());
        steps.time(
            "delete the pool",
            () -> {
              stapes.pools().byDefault().delete();
              return "with the unpacked image";
            });
      }
    } finally {
      if (options.temporary()) {
        removeAll(options.root());
      }
    }
    steps.total();
  }

  /** Where a step fails, its instances go all the same. */
  private static void runOn(Stapes stapes, Steps steps, String image) throws IOException {
    try {
      new Quickstart(stapes, steps, image).run();
    } catch (IOException | RuntimeException e) {
      stapes
          .instances()
          .list()
          .forEach(info -> stapes.instances().get(info.name()).delete(Delete.FORCE));
      throw e;
    }
  }

  private void run() throws IOException {
    PoolInfo pool = stapes.pools().byDefault().info();
    steps.note(
        pool.driver().equals("btrfs")
            ? "pool: btrfs in a loop file of " + pool.total().toDisplay()
            : "NOTICE: no Btrfs here, so the pool is " + pool.driver() + ": clones cost more");
    ImageInfo imported = steps.time("import image " + image, this::importImage);
    steps.note(imported.metadata().properties() + ", " + imported.size().toDisplay());

    Instance web = steps.time("launch web", this::launch);
    exec(web);
    files(web);
    state(web);
    console(web);
    snapshots(web);
    ending(web);
  }

  private ImageInfo importImage() {
    return image.equals("debian")
        ? stapes.images().importFrom(ImageSources.debootstrap("bookworm"), "debian")
        : stapes.images().importFrom(ImageSources.busybox(), "busybox");
  }

  private Instance launch() {
    return stapes
        .instances()
        .launch(
            InstanceSpec.container("web", image)
                .limits(limits -> limits.cpus(1).memory(Size.ofMebibytes(256)).processes(200))
                .environment("GREETING", "hello from inside")
                .build());
  }

  private void exec(Instance web) throws IOException {
    ExecResult id =
        steps.time("exec id", () -> web.exec("sh", "-c", "id; echo \"$GREETING\"").orThrow());
    steps.note(id.stdout().strip().replace('\n', ' '));
    steps.time(
        "exec as uid 1000 in /tmp with input",
        () ->
            web.exec(
                    ExecSpec.builder("sh", "-c", "id -u; pwd; cat; exit 7")
                        .user(1000)
                        .directory("/tmp")
                        .build(),
                    "from stdin".getBytes(StandardCharsets.UTF_8))
                .stdout()
                .replace('\n', ' '));
    steps.time("exec with a terminal, resized", () -> terminal(web));
    steps.time(
        "exec with a timeout",
        () -> {
          try {
            web.exec(ExecSpec.builder("sleep", "60").timeout(Duration.ofMillis(200)).build());
            throw new IllegalStateException("sleep 60 ended within 200 ms");
          } catch (StapesException e) {
            return e.kind() + ": " + e.getMessage();
          }
        });
  }

  private static String terminal(Instance web) throws IOException {
    ExecSpec spec =
        ExecSpec.builder("sh", "-c", "stty size; read go; stty size").terminal(80, 24).build();
    try (ExecProcess process = web.execStreaming(spec)) {
      byte[] first = process.stdout().readNBytes("24 80".length());
      process.resize(132, 43);
      process.stdin().write('\n');
      process.stdin().flush();
      String rest = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      process.await();
      return (new String(first, StandardCharsets.UTF_8) + rest).replaceAll("\\s+", " ").strip();
    }
  }

  private void files(Instance web) throws IOException {
    Path note = Files.createTempFile("stapes", ".txt");
    try {
      Files.writeString(note, "pushed\n");
      steps.time(
          "push a file and pull it back",
          () -> {
            web.files().push(note, "/root/note.txt");
            web.exec("sh", "-c", "echo changed inside >> /root/note.txt").orThrow();
            web.files().pull("/root/note.txt", note);
            return Files.readString(note).replace('\n', ' ');
          });
    } finally {
      Files.deleteIfExists(note);
    }
  }

  private void state(Instance web) {
    InstanceState state = steps.time("read its state", web::state);
    steps.note(
        String.format(
            java.util.Locale.ROOT,
            "pid %d, %s processes, memory %s, cpu %d ms, up %d ms",
            state.pid().orElseThrow(),
            state.processes().isPresent() ? state.processes().getAsLong() : "?",
            state.memory().map(Size::toDisplay).orElse("?"),
            state.cpu().toMillis(),
            state.uptime(Instant.now()).toMillis()));
  }

  private void console(Instance web) throws IOException {
    steps.time(
        "follow its console",
        () -> {
          try (Console console = web.console()) {
            InputStream output = console.output();
            web.exec("sh", "-c", "echo written to the console > /dev/console").orThrow();
            return firstLineWith(output, "written to the console");
          }
        });
  }

  private static String firstLineWith(InputStream output, String text) throws IOException {
    StringBuilder seen = new StringBuilder();
    for (int c = output.read(); c >= 0; c = output.read()) {
      seen.append((char) c);
      if (seen.indexOf(text) >= 0) {
        return text;
      }
    }
    throw new IOException("the console ended with: " + seen);
  }

  private void snapshots(Instance web) {
    steps.time("snapshot", () -> web.snapshots().create("clean").name());
    steps.time(
        "break it",
        () -> web.exec("sh", "-c", "rm -rf /etc/* && ls -A /etc | wc -l").stdout().strip());
    steps.time(
        "restore the running instance",
        () -> {
          web.snapshots().restore("clean");
          return "";
        });
    steps.time("check", () -> web.exec("sh", "-c", "ls /etc/passwd").orThrow().stdout().strip());
    steps.time(
        "clone and start the clone",
        () -> {
          Instance copy = web.copyTo("web-2").start();
          return copy.exec("hostname").stdout().strip();
        });
  }

  private void ending(Instance web) {
    steps.time(
        "rename web to old",
        () -> {
          web.rename("old");
          return web.name();
        });
    steps.time(
        "stop gracefully",
        () -> {
          web.stop(Stop.graceful(GRACE));
          return web.info().status().toString();
        });
    Instance copy = stapes.instances().get("web-2");
    steps.time(
        "stop the clone by force",
        () -> {
          copy.stop(Stop.FORCE);
          return copy.info().status().toString();
        });
    steps.time(
        "delete both",
        () -> {
          web.delete();
          copy.delete(Delete.FORCE);
          return stapes.instances().list().size() + " instances left";
        });
    steps.time(
        "delete the image",
        () -> {
          stapes.images().delete(image);
          return stapes.images().list().size() + " images left";
        });
  }

  private static void removeAll(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /**
   * What it is called with.
   *
   * @param image {@code busybox} or {@code debian}
   * @param root the root directory
   * @param temporary whether the root directory is removed at the end
   */
  record Options(String image, Path root, boolean temporary) {
    static Options parse(List<String> arguments) {
      String image = "busybox";
      Path root = Path.of("target", "quickstart-" + ProcessHandle.current().pid());
      boolean temporary = true;
      for (int i = 0; i < arguments.size(); i += 2) {
        if (i + 1 == arguments.size()) {
          throw new IllegalArgumentException("a value is missing after " + arguments.get(i));
        }
        String value = arguments.get(i + 1);
        switch (arguments.get(i)) {
          case "--image" -> {
            if (!List.of("busybox", "debian").contains(value)) {
              throw new IllegalArgumentException(
                  "--image must be busybox or debian: \"" + value + "\"");
            }
            image = value;
          }
          case "--root" -> {
            root = Path.of(value);
            temporary = false;
          }
          default ->
              throw new IllegalArgumentException(
                  "unknown argument \"" + arguments.get(i) + "\"; there are --image and --root");
        }
      }
      return new Options(image, root.toAbsolutePath(), temporary);
    }
  }
}
