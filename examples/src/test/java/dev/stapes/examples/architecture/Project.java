package dev.stapes.examples.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The source tree that the rules look at: its modules, their files and their compiled classes. */
final class Project {
  private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");
  private static final Set<String> NOT_OURS =
      Set.of("target", ".git", ".idea", ".vscode", ".settings");

  private final Path root;
  private final List<String> modules;

  private Project(Path root, List<String> modules) {
    this.root = root;
    this.modules = modules;
  }

  /** The project that the working directory, one of its modules, belongs to. */
  static Project here() {
    Path root = Path.of("").toAbsolutePath().getParent();
    if (root == null || !Files.exists(root.resolve("verify"))) {
      throw new IllegalStateException(
          "not started in a module's directory: " + Path.of("").toAbsolutePath());
    }
    List<String> modules =
        MODULE
            .matcher(read(root.resolve("pom.xml")))
            .results()
            .map(result -> result.group(1))
            .toList();
    return new Project(root, modules);
  }

  Path root() {
    return root;
  }

  List<String> modules() {
    return modules;
  }

  /**
   * The modules that have code of their own (others are announced in the root POM and still empty).
   */
  List<String> modulesWithCode() {
    return modules.stream().filter(module -> !mainSources(module).isEmpty()).toList();
  }

  List<Path> mainSources(String module) {
    return sourcesBelow(root.resolve(module).resolve("src/main/java"));
  }

  List<Path> testSources(String module) {
    return sourcesBelow(root.resolve(module).resolve("src/test/java"));
  }

  /** The packages that the main sources of a module declare classes in. */
  Set<String> packages(String module) {
    Path base = root.resolve(module).resolve("src/main/java");
    Set<String> packages = new TreeSet<>();
    for (Path source : mainSources(module)) {
      Path directory = base.relativize(source).getParent();
      if (directory != null) {
        packages.add(directory.toString().replace('/', '.'));
      }
    }
    return packages;
  }

  /**
   * The modules with code that the rules about classes look at; benchmarks are built after the
   * tests of examples.
   */
  List<String> modulesToLookAt() {
    return modulesWithCode().stream().filter(module -> !module.equals("benchmarks")).toList();
  }

  /** The compiled main classes of {@link #modulesToLookAt()}. */
  JavaClasses classes() {
    List<Path> directories = new ArrayList<>();
    for (String module : modulesToLookAt()) {
      Path classes = root.resolve(module).resolve("target/classes");
      if (!Files.isDirectory(classes)) {
        throw new IllegalStateException(module + " is not compiled: " + classes + " is missing");
      }
      directories.add(classes);
    }
    return new ClassFileImporter().importPaths(directories);
  }

  /** The module that a class was compiled in, or nothing for a class of a library or the JDK. */
  Optional<String> moduleOf(JavaClass type) {
    return type.getBaseComponentType()
        .getSource()
        .map(source -> Path.of(source.getUri().getPath() == null ? "/" : source.getUri().getPath()))
        .filter(path -> path.startsWith(root))
        .map(path -> root.relativize(path).getName(0).toString());
  }

  /** Every file that belongs to the project: no build results, nothing of an editor. */
  List<Path> files() {
    List<Path> files = new ArrayList<>();
    collect(root, files);
    return files;
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }

  private static void collect(Path directory, List<Path> files) {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : (Iterable<Path>) entries.sorted()::iterator) {
        if (NOT_OURS.contains(entry.getFileName().toString())) {
          continue;
        }
        if (Files.isDirectory(entry)) {
          collect(entry, files);
        } else if (Files.isRegularFile(entry)) {
          files.add(entry);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(directory.toString(), e);
    }
  }

  private static List<Path> sourcesBelow(Path directory) {
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      collect(directory, files);
    }
    return files.stream().filter(file -> file.toString().endsWith(".java")).toList();
  }
}
