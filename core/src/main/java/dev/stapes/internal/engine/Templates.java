package dev.stapes.internal.engine;

import dev.stapes.internal.image.DiskError;
import dev.stapes.internal.image.ImageTemplate;
import dev.stapes.internal.image.ImageTemplates;
import dev.stapes.internal.image.TemplateStore;
import dev.stapes.internal.template.Renderer;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes files of the templates of an image, in the root disk of an instance that is about to start.
 * What was to be done when the instance was made waits until then, as with Incus. A file appears
 * whole or not at all; where one cannot be made the instance does not start.
 */
final class Templates {
  /** The trigger that waits for the next start. */
  static final String PENDING = "volatile.apply_template";

  private static final String START = "start";
  private static final String BESIDE = ".stapes-new-";
  private static final int MOST_LINKS = 40;
  private static final int DIRECTORY_MODE = 0755;
  private static final int UNFINISHED = 0600;

  private final TemplateStore store;
  private final PoolService pools;
  private final Drivers drivers;

  Templates(TemplateStore store, PoolService pools, Drivers drivers) {
    this.store = store;
    this.pools = pools;
    this.drivers = drivers;
  }

  /** A record with a trigger for its next start, unless one waits already. */
  static InstanceRecord deferred(InstanceRecord record, String trigger) {
    return record.templates() == null || record.config().containsKey(PENDING)
        ? record
        : record.with(
            record.description(),
            record.typedConfig().with(PENDING, trigger).values(),
            record.devices());
  }

  /**
   * A file to be made.
   *
   * @param template whose it is
   * @param content of it
   */
  private record Rendered(ImageTemplate template, byte[] content) {}

  /**
   * Makes the files that are to be made at this start.
   *
   * @return the record as it is once the instance has started
   * @throws StapesException about the instance, with the path and the line
   */
  InstanceRecord apply(InstanceRecord record) {
    String hash = record.templates();
    if (hash == null || record.type() != InstanceType.CONTAINER) {
      return record;
    }
    ImageTemplates all = store.get(hash);
    List<Rendered> files = new ArrayList<>();
    for (String trigger : triggers(record)) {
      for (ImageTemplate template : all.files()) {
        if (template.when().contains(trigger)) {
          files.add(render(record, all, template, trigger));
        }
      }
    }
    if (!files.isEmpty()) {
      try (Tree tree = pools.pool(record.pool()).tree(record.volumeId(), Tree.Resolution.IN_ROOT)) {
        files.forEach(file -> write(record, tree, file));
      }
    }
    TreeMap<String, String> config = new TreeMap<>(record.config());
    config.remove(PENDING);
    return record.with(record.description(), config, record.devices());
  }

  private static Set<String> triggers(InstanceRecord record) {
    Set<String> triggers = new LinkedHashSet<>();
    Optional.ofNullable(record.config().get(PENDING)).ifPresent(triggers::add);
    triggers.add(START);
    return triggers;
  }

  private Rendered render(
      InstanceRecord record, ImageTemplates all, ImageTemplate template, String trigger) {
    boolean mapped = drivers.of(record.type()).idMapping(record.typedConfig()).isPresent();
    Map<String, String> instance =
        Map.of(
            "name", record.name(),
            "type", record.type().toString(),
            "architecture", all.architecture(),
            "ephemeral", String.valueOf(record.lifetime() != Lifetime.DURABLE),
            "privileged", String.valueOf(!mapped));
    try {
      String text =
          Renderer.render(
              template.text(),
              Map.of(
                  "trigger", trigger,
                  "path", template.path(),
                  "instance", instance,
                  "container", instance,
                  "config", record.config(),
                  "devices", record.devices(),
                  "properties", template.properties()));
      return new Rendered(template, text.getBytes(StandardCharsets.UTF_8));
    } catch (StapesException e) {
      throw failed(record, template, e);
    }
  }

  private static StapesException failed(
      InstanceRecord record, ImageTemplate template, StapesException e) {
    return new StapesException(
        e.kind(),
        record.subject(),
        "template " + template.template() + " for " + template.path() + ": " + e.getMessage(),
        e);
  }

  private static void write(InstanceRecord record, Tree tree, Rendered file) {
    try {
      write(tree, file);
    } catch (StapesException e) {
      throw failed(record, file.template(), e);
    }
  }

  private static void write(Tree tree, Rendered file) {
    ImageTemplate template = file.template();
    makeParents(tree, template.path());
    String target = target(tree, template.path());
    Optional<Tree.Stat> there = tree.stat(target);
    if (there.isPresent() && template.createOnly()) {
      return;
    }
    if (there.isPresent() && there.get().type() != Tree.Type.FILE) {
      throw StapesException.invalid("file " + target, "is no regular file: " + there.get().type());
    }
    makeParents(tree, target);
    int slash = target.lastIndexOf('/');
    String beside = target.substring(0, slash + 1) + BESIDE + template.template();
    tree.removeAll(beside); // of a start that was cut short
    try {
      fill(tree, beside, file.content());
      tree.chown(
          beside,
          there.map(Tree.Stat::uid).orElse(template.uid()),
          there.map(Tree.Stat::gid).orElse(template.gid()));
      tree.chmod(beside, there.map(Tree.Stat::mode).orElse(template.mode()));
      tree.rename(beside, target);
    } catch (StapesException e) {
      takeBack(tree, beside, e);
      throw e;
    }
  }

  private static void fill(Tree tree, String path, byte[] content) {
    try (OutputStream out = tree.create(path, UNFINISHED)) {
      out.write(content);
    } catch (IOException e) {
      throw DiskError.of("file " + path, "cannot be written", e, Kind.UNAVAILABLE);
    }
  }

  private static void takeBack(Tree tree, String path, StapesException cause) {
    try {
      tree.removeAll(path);
    } catch (StapesException e) {
      cause.addSuppressed(e);
    }
  }

  private static void makeParents(Tree tree, String path) {
    for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
      String parent = path.substring(0, slash);
      if (!parent.endsWith("/") && !parent.endsWith("/.") && !parent.endsWith("/..")) {
        FileCopy.makeDirectory(tree, parent, DIRECTORY_MODE);
      }
    }
  }

  /** Where a path leads when links are followed as a program inside would; it need not exist. */
  private static String target(Tree tree, String path) {
    String target = path;
    for (int links = 0; links <= MOST_LINKS; links++) {
      String at = target;
      if (tree.stat(at).filter(stat -> stat.type() == Tree.Type.SYMLINK).isEmpty()) {
        return at;
      }
      String text = tree.readlink(at);
      target = text.startsWith("/") ? text : at.substring(0, at.lastIndexOf('/') + 1) + text;
    }
    throw StapesException.invalid("file " + path, "too many symbolic links");
  }
}
