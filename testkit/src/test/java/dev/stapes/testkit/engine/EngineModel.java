package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Instances;
import dev.stapes.Stop;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All instances as a map by name, and an engine that must say the same. */
final class EngineModel {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String KEY = "user.text";

  private final TreeMap<String, Box> boxes = new TreeMap<>();
  private final EngineWorld world;

  EngineModel(EngineWorld world) {
    this.world = world;
  }

  /** What can be put back: the text in a file and that in the config. */
  private record Texts(String file, String config) {}

  private static final class Box {
    private Texts texts;
    private InstanceStatus status = InstanceStatus.STOPPED;
    private final TreeMap<String, Texts> snapshots = new TreeMap<>();

    private Box(Texts texts) {
      this.texts = texts;
    }

    private boolean runs() {
      return status != InstanceStatus.STOPPED;
    }
  }

  /** Does a step with both; both succeed, or the engine refuses as the model says. */
  void run(EngineStep step) {
    Optional<Kind> refusal = refusal(step);
    try {
      real(step);
      assertEquals(Optional.empty(), refusal, () -> "not refused: " + step);
    } catch (StapesException e) {
      if (!refusal.equals(Optional.of(e.kind()))) {
        throw new AssertionError(step + " should be refused as " + refusal, e);
      }
    }
    if (refusal.isEmpty()) {
      apply(step);
    }
    assertEquals(expected(), actual(), () -> "after " + step);
  }

  int volumes() {
    return boxes.values().stream().mapToInt(box -> 1 + box.snapshots.size()).sum();
  }

  long running() {
    return boxes.values().stream().filter(Box::runs).count();
  }

  private Map<String, String> expected() {
    Map<String, String> all = new TreeMap<>();
    boxes.forEach((name, box) -> all.put(name, box.status + " " + box.texts + line(box.snapshots)));
    return all;
  }

  private static String line(Map<String, Texts> snapshots) {
    TreeMap<String, String> config = new TreeMap<>();
    snapshots.forEach((name, texts) -> config.put(name, texts.config()));
    return " " + config;
  }

  private Map<String, String> actual() {
    Map<String, String> all = new TreeMap<>();
    for (InstanceInfo info : world.stapes().instances().list()) {
      Instance instance = world.stapes().instances().get(info.name());
      assertEquals(info, instance.info());
      TreeMap<String, String> snapshots = new TreeMap<>();
      for (SnapshotInfo snapshot : instance.snapshots().list()) {
        snapshots.put(snapshot.name(), snapshot.config().text(KEY).orElse(""));
      }
      Texts texts =
          new Texts(instance.files().readText("/note"), info.config().text(KEY).orElse(""));
      all.put(info.name(), info.status() + " " + texts + " " + snapshots);
    }
    return all;
  }

  private Optional<Kind> refusal(EngineStep step) {
    Box box = boxes.get(step.name());
    return switch (step.verb()) {
      case REOPEN -> Optional.empty();
      case CREATE, LAUNCH -> when(box != null, Kind.CONFLICT);
      default -> box == null ? Optional.of(Kind.NOT_FOUND) : refusal(step, box);
    };
  }

  private Optional<Kind> refusal(EngineStep step, Box box) {
    boolean known = box.snapshots.containsKey(step.other());
    return switch (step.verb()) {
      case START -> when(box.runs(), Kind.CONFLICT);
      case FREEZE, END_BY_ITSELF -> when(box.status != InstanceStatus.RUNNING, Kind.CONFLICT);
      case UNFREEZE -> when(box.status != InstanceStatus.FROZEN, Kind.CONFLICT);
      case SNAPSHOT -> when(known, Kind.CONFLICT);
      case RESTORE, DELETE_SNAPSHOT -> when(!known, Kind.NOT_FOUND);
      case COPY, RENAME -> when(boxes.containsKey(step.other()), Kind.CONFLICT);
      case COPY_SNAPSHOT ->
          box.snapshots.containsKey("x")
              ? when(boxes.containsKey(step.other()), Kind.CONFLICT)
              : Optional.of(Kind.NOT_FOUND);
      case DELETE -> when(box.runs(), Kind.BUSY);
      default -> Optional.empty();
    };
  }

  private static Optional<Kind> when(boolean condition, Kind kind) {
    return condition ? Optional.of(kind) : Optional.empty();
  }

  private void real(EngineStep step) {
    Instances instances = world.stapes().instances();
    switch (step.verb()) {
      case REOPEN -> world.reopen();
      case CREATE -> instances.create(EngineWorld.spec(step.name()).build());
      case LAUNCH -> instances.launch(EngineWorld.spec(step.name()).build());
      default -> real(step, instances.get(step.name()));
    }
  }

  private void real(EngineStep step, Instance instance) {
    String other = step.other();
    switch (step.verb()) {
      case START -> instance.start();
      case STOP -> instance.stop(Stop.FORCE);
      case FREEZE -> instance.freeze();
      case UNFREEZE -> instance.unfreeze();
      case WRITE -> instance.files().writeText("/note", other);
      case CONFIGURE -> instance.update(change -> change.config(KEY, other));
      case SNAPSHOT -> instance.snapshots().create(other);
      case RESTORE -> instance.snapshots().restore(other);
      case DELETE_SNAPSHOT -> instance.snapshots().delete(other);
      case COPY -> instance.copyTo(other);
      case COPY_SNAPSHOT -> instance.snapshots().copyTo("x", other);
      case RENAME -> instance.rename(other);
      case DELETE -> instance.delete();
      case DELETE_BY_FORCE -> instance.delete(Delete.FORCE);
      case END_BY_ITSELF -> endByItself(instance);
      default -> throw new IllegalArgumentException(step.toString());
    }
  }

  private void endByItself(Instance instance) {
    if (instance.info().status() != InstanceStatus.RUNNING) {
      throw new StapesException(Kind.CONFLICT, step(instance), "nothing that could end");
    }
    world.end(instance, false);
    instance.await(InstanceStatus.STOPPED, SOON);
  }

  private static String step(Instance instance) {
    return "end of " + instance;
  }

  private void apply(EngineStep step) {
    String name = step.name();
    switch (step.verb()) {
      case REOPEN -> {}
      case CREATE -> boxes.put(name, new Box(new Texts("fresh", "")));
      case LAUNCH -> {
        boxes.put(name, new Box(new Texts("fresh", "")));
        box(name).status = InstanceStatus.RUNNING;
      }
      case COPY -> boxes.put(step.other(), new Box(box(name).texts));
      case COPY_SNAPSHOT -> boxes.put(step.other(), new Box(known(box(name).snapshots.get("x"))));
      case RENAME -> boxes.put(step.other(), known(boxes.remove(name)));
      case DELETE, DELETE_BY_FORCE -> boxes.remove(name);
      default -> apply(step, box(name));
    }
  }

  private static void apply(EngineStep step, Box box) {
    String other = step.other();
    switch (step.verb()) {
      case START, UNFREEZE -> box.status = InstanceStatus.RUNNING;
      case STOP, END_BY_ITSELF -> box.status = InstanceStatus.STOPPED;
      case FREEZE -> box.status = InstanceStatus.FROZEN;
      case WRITE -> box.texts = new Texts(other, box.texts.config());
      case CONFIGURE -> box.texts = new Texts(box.texts.file(), other);
      case SNAPSHOT -> box.snapshots.put(other, box.texts);
      case RESTORE -> {
        box.texts = known(box.snapshots.get(other));
        box.status = box.runs() ? InstanceStatus.RUNNING : InstanceStatus.STOPPED;
      }
      case DELETE_SNAPSHOT -> box.snapshots.remove(other);
      default -> throw new IllegalArgumentException(step.toString());
    }
  }

  private Box box(String name) {
    return known(boxes.get(name));
  }

  private static <T> T known(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("the model does not know it");
    }
    return value;
  }
}
