package dev.stapes.internal.image;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.Output;
import dev.stapes.spi.Processes;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A host whose programs are functions; its files are below a directory. */
final class FakeHost implements Host {
  final Map<String, Path> programs = new HashMap<>();
  final List<Command> commands = new ArrayList<>();
  final List<Path> mounted = new ArrayList<>();
  final Map<Path, Tree> trees = new HashMap<>();
  Function<Command, Output> answer = command -> new Output("", "");
  boolean root;
  private final Path directory;

  FakeHost(Path directory) {
    this.directory = directory;
  }

  @Override
  public Facts facts() {
    return new Facts("6.1.0", "x86_64", Set.of(0), Size.ofGibibytes(1), root);
  }

  @Override
  public Programs programs() {
    return new Programs() {
      @Override
      public Optional<Path> find(String name) {
        return Optional.ofNullable(programs.get(name));
      }

      @Override
      public Output run(Command command) {
        commands.add(command);
        return answer.apply(command);
      }
    };
  }

  @Override
  public Processes processes() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Mounts mounts() {
    return new FakeMounts();
  }

  @Override
  public Tree tree(Path directory, Tree.Resolution resolution, Optional<IdMapping> mapping) {
    Tree known = trees.get(directory);
    return known != null ? known : new RemovingTree(directory).tree();
  }

  @Override
  public Busy busy() {
    return () -> {};
  }

  @Override
  public void close() {}

  private final class FakeMounts implements Mounts {
    @Override
    public void mount(String source, Path target, String type, Set<Flag> flags, String options) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void bind(Path source, Path target, Set<Flag> flags) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void bindIdmapped(Path source, Path target, IdMapping mapping, Set<Flag> flags) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void detachAbandoned(Path target, String type, String source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void unmount(Path target) {
      mounted.remove(target);
    }

    @Override
    public List<Entry> below(Path path) {
      return mounted.stream()
          .filter(mount -> mount.startsWith(path))
          .map(mount -> new Entry(mount, "proc", "proc", "rw"))
          .toList();
    }

    @Override
    public Path local(Path path) {
      return path.startsWith(directory) ? path : directory.resolve(Path.of("/").relativize(path));
    }
  }

  /** A directory of the disk, of which only removing is asked. */
  private record RemovingTree(Path directory) {
    Tree tree() {
      return (Tree)
          Proxy.newProxyInstance(
              Tree.class.getClassLoader(),
              new Class<?>[] {Tree.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("removeAll")) {
                  removeAll(directory.resolve((String) arguments[0]));
                } else if (!method.getName().equals("close")) {
                  throw new UnsupportedOperationException(method.getName());
                }
                return null;
              });
    }

    private static void removeAll(Path path) {
      try {
        Files.walkFileTree(
            path,
            new SimpleFileVisitor<>() {
              @Override
              public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                  throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
              }

              @Override
              public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException e)
                  throws IOException {
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
              }
            });
      } catch (IOException e) {
        throw new StapesException(
            StapesException.Kind.INTERNAL, path.toString(), "cannot be removed", e);
      }
    }
  }
}
