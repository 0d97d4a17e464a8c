package dev.stapes.testkit.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Everything that is there while no engine is: records, volumes with their content and limits,
 * running machines, files. Identities are replaced by what they stand for, so that two worlds in
 * which the same happened have equal pictures; what nothing stands for keeps its identity, and
 * shows.
 */
record EnginePicture(List<String> lines) {
  /** More than a limit that tests set, less than anything without one. */
  static final int ABOVE_LIMIT = 64 << 10;

  private static final Pattern VOLUME = Pattern.compile("\"volume\":\"([^\"]+)\"");
  private static final Pattern INTENT = Pattern.compile("^intents/\\S+");

  EnginePicture {
    lines = lines.stream().sorted().toList();
  }

  static EnginePicture of(
      StateStore store,
      StorageDriverProvider storage,
      PoolSpec pool,
      Path root,
      Collection<InstanceId> running) {
    List<String> lines = new ArrayList<>();
    List<StateStore.Entry> entries = store.prefix("");
    entries.forEach(entry -> lines.add(entry.key() + " = " + entry.value()));
    lines.addAll(volumes(storage, pool, root));
    for (StateStore.Entry other : store.prefix("pools/")) {
      String name = other.key().substring("pools/".length());
      if (!name.equals(pool.name()) && other.value().contains("\"" + pool.driver() + "\"")) {
        volumes(storage, PoolSpec.of(name, pool.driver()), root)
            .forEach(line -> lines.add("in " + name + ": " + line));
      }
    }
    running.forEach(id -> lines.add("runs " + id));
    lines.addAll(files(root));
    Map<String, String> names = names(entries);
    return new EnginePicture(lines).map(line -> replaced(line, names));
  }

  private static List<String> volumes(StorageDriverProvider storage, PoolSpec pool, Path root) {
    List<String> lines = new ArrayList<>();
    try (FakeHost host = FakeHost.create();
        StoragePool open = storage.open(host, pool, root.resolve("pools").resolve(pool.name()))) {
      open.list().forEach(volume -> lines.addAll(describe(open, volume)));
    }
    return lines;
  }

  EnginePicture map(UnaryOperator<String> change) {
    return new EnginePicture(lines.stream().map(change).toList());
  }

  /** Without whether anything runs or ran. */
  EnginePicture withoutRuns() {
    return new EnginePicture(
        lines.stream()
            .filter(line -> !line.startsWith("runs "))
            .map(line -> line.replaceAll(",?\"volatile.last_state.[a-z_]+\":\"[^\"]*\"", ""))
            .map(line -> line.replaceAll("\"lastStartedAt\":(null|\"[^\"]*\")", ""))
            .toList());
  }

  /** Without images that a pool has unpacked and recorded: they are a cache. */
  EnginePicture withoutUnpackedImages() {
    boolean recorded = lines.stream().anyMatch(line -> line.startsWith("image-volumes/"));
    return new EnginePicture(
        lines.stream()
            .filter(
                line ->
                    !recorded || !(line.startsWith("image-volumes/") || line.startsWith("IMAGE ")))
            .toList());
  }

  EnginePicture and(Collection<String> more) {
    List<String> all = new ArrayList<>(lines);
    all.addAll(more);
    return new EnginePicture(all);
  }

  @Override
  public String toString() {
    return String.join("\n", lines);
  }

  private static Map<String, String> names(List<StateStore.Entry> entries) {
    Map<String, String> volumes = new LinkedHashMap<>();
    Map<String, String> ids = new LinkedHashMap<>();
    for (StateStore.Entry entry : entries) {
      if (entry.key().contains("names/")) {
        ids.put(entry.value(), "(" + entry.key().substring(entry.key().indexOf('/') + 1) + ")");
      }
      Matcher volume = VOLUME.matcher(entry.value());
      if (!entry.key().startsWith("intents/") && volume.find()) {
        volumes.put(volume.group(1), "(volume of " + entry.key() + ")");
      }
    }
    Map<String, String> all = new LinkedHashMap<>(volumes);
    all.putAll(ids); // the names of volumes have ids in them
    return all;
  }

  private static String replaced(String line, Map<String, String> names) {
    String text = INTENT.matcher(line).replaceFirst("intents/*");
    for (Map.Entry<String, String> name : names.entrySet()) {
      text = text.replace(name.getKey(), name.getValue());
    }
    return text;
  }

  /** Nothing, if it was removed meanwhile: an engine that is open removes in the background. */
  private static List<String> describe(StoragePool pool, VolumeId volume) {
    if (pool.list().contains(volume) && size(pool, volume).isPresent()) {
      return List.of(volume.kind() + " " + volume.name() + " device of " + size(pool, volume));
    }
    try (Tree tree = pool.tree(volume, Tree.Resolution.BENEATH)) {
      String note = tree.stat("note").isPresent() ? ": " + read(tree, "note") : "";
      return List.of(
          volume.kind() + " " + volume.name() + " " + tree.list("/") + note + limit(tree));
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND && !pool.list().contains(volume)) {
        return List.of();
      }
      throw e;
    }
  }

  private static Optional<Size> size(StoragePool pool, VolumeId volume) {
    return pool.blockVolumes().flatMap(blocks -> blocks.size(volume));
  }

  private static String read(Tree tree, String file) {
    try (InputStream in = tree.read(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether so much can be written, found by trying. */
  private static String limit(Tree tree) {
    try (OutputStream out = tree.write("probe", 0644)) {
      out.write(new byte[ABOVE_LIMIT]);
      return "";
    } catch (StapesException e) {
      return " " + e.kind();
    } catch (IOException e) {
      return " limited: " + e.getMessage();
    } finally {
      if (tree.stat("probe").isPresent()) {
        tree.remove("probe");
      }
    }
  }

  /** Below a pool are places of attachments only, which a Stapes that is closed badly leaves. */
  private static List<String> files(Path root) {
    try (Stream<Path> all = Files.walk(root)) {
      return all.map(path -> root.relativize(path).toString())
          .filter(path -> !path.matches("pools/[^/]+/.+"))
          .map(path -> "file " + path)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
