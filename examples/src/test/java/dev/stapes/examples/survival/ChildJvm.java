package dev.stapes.examples.survival;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * Runs classes of the tests in JVMs of their own: hundreds of them, so each is to start fast. The
 * first one writes an archive of the classes it has loaded, which the others map ("application
 * class data sharing"); that wants a class path of jars alone.
 */
final class ChildJvm {
  private static final long PATIENCE_SECONDS = 120;

  private final Path directory;
  private final String classPath;

  /** With a directory for its files, which exists and is empty. */
  ChildJvm(Path directory) throws IOException {
    this.directory = directory;
    this.classPath = jars(directory);
  }

  /** How a child ended, and what it wrote on both its streams. */
  record End(int code, String output) {}

  /** Runs a class to its end, and writes the archive for the others. */
  End runFirst(Class<?> main, String... arguments) throws IOException, InterruptedException {
    return end(
        command(
            List.of("-XX:ArchiveClassesAtExit=" + archive(), "-Xlog:cds=off"), main, arguments));
  }

  /** Runs a class to its end. */
  End run(Class<?> main, String... arguments) throws IOException, InterruptedException {
    return end(command(List.of("-XX:SharedArchiveFile=" + archive()), main, arguments));
  }

  /** Runs a class to its end where some programs of the machine can be executed by nobody. */
  End runWithout(List<Path> programs, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    StringBuilder hidden = new StringBuilder();
    programs.forEach(
        program -> hidden.append("mount --bind /dev/null ").append(program).append(" && "));
    ProcessBuilder command = command(List.of(), main, arguments);
    List<String> words = new ArrayList<>(List.of("unshare", "--mount", "--propagation", "private"));
    words.addAll(List.of("sh", "-c", hidden + "exec \"$@\"", "sh"));
    words.addAll(command.command());
    return end(command.command(words));
  }

  private End end(ProcessBuilder command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "child", ".out");
    Process process = command.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (!ended) {
      process.destroyForcibly().waitFor();
    }
    String text = Files.readString(output);
    Files.delete(output);
    if (!ended) {
      throw new AssertionError("the child hangs: " + text);
    }
    return new End(process.exitValue(), text);
  }

  /** Starts a class; its output is to be read. */
  Process start(Class<?> main, String... arguments) throws IOException {
    return command(List.of(), main, arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private ProcessBuilder command(List<String> options, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Djava.io.tmpdir=" + directory,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            classPath,
            main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  private Path archive() {
    return directory.resolve("classes.jsa");
  }

  /** The class path of this JVM with its directories made jars. */
  private static String jars(Path directory) throws IOException {
    List<String> jars = new ArrayList<>();
    for (String element : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(element);
      if (!element.isEmpty() && Files.isDirectory(path)) {
        Path jar = directory.resolve("classes-" + jars.size() + ".jar");
        pack(path, jar);
        jars.add(jar.toString());
      } else if (Files.isRegularFile(path)) {
        jars.add(element);
      }
    }
    return String.join(File.pathSeparator, jars);
  }

  private static void pack(Path classes, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> all = Files.walk(classes)) {
      out.setLevel(0);
      all.filter(Files::isRegularFile)
          .forEach(each -> add(classes.relativize(each).toString(), each, out));
    }
  }

  private static void add(String name, Path file, JarOutputStream out) {
    try {
      out.putNextEntry(new ZipEntry(name));
      Files.copy(file, out);
      out.closeEntry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
