package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.Faults;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One operation of the engine, of which every effect fails once: those of the call, of what goes on
 * behind it, and of the closing of the Stapes after it.
 *
 * <p>A call that throws has left nothing, even before the next open looks; it throws a
 * StapesException; and the same call succeeds afterwards. What fails behind a call that succeeded,
 * or at the closing, is made up for by the next open.
 */
final class EngineScenario implements EffectScenario<EngineScenario.World> {
  private final Consumer<EngineWorld> given;
  private final Consumer<Stapes> operation;
  private UnaryOperator<EnginePicture> lens = UnaryOperator.identity();
  private Optional<UnaryOperator<EnginePicture>> forward = Optional.empty();
  private boolean sameAttachments = true;
  private EngineWorld.Setup setup = EngineWorld.Setup.usual();
  private @Nullable EnginePicture done;

  private EngineScenario(Consumer<EngineWorld> given, Consumer<Stapes> operation) {
    this.given = given;
    this.operation = operation;
  }

  static EngineScenario of(Consumer<EngineWorld> given, Consumer<Stapes> operation) {
    return new EngineScenario(given, operation);
  }

  /** In another world than the usual one. */
  EngineScenario in(EngineWorld.Setup other) {
    setup = other;
    return this;
  }

  /** A call that throws may have ended machines. */
  EngineScenario whateverRuns() {
    sameAttachments = false;
    return seenThrough(EnginePicture::withoutRuns);
  }

  /** Compares only what a lens shows. */
  EngineScenario seenThrough(UnaryOperator<EnginePicture> only) {
    lens = only;
    return this;
  }

  /** A call that throws may also have got to its end, as a lens shows it. */
  EngineScenario mayGoForward(UnaryOperator<EnginePicture> only) {
    sameAttachments = false;
    forward = Optional.of(only);
    return this;
  }

  static final class World {
    private final EngineWorld engine;
    private @Nullable EnginePicture before;
    private boolean failed;

    private World(EngineWorld engine) {
      this.engine = engine;
    }
  }

  @Override
  public World prepare(Faults faults) {
    EngineWorld engine = EngineWorld.create(faults, setup);
    given.accept(engine);
    engine.reopen();
    return new World(engine);
  }

  @Override
  public void act(World world) {
    int attached = world.engine.attached();
    try {
      operation.accept(world.engine.stapes());
    } catch (StapesException e) {
      world.failed = true;
      if (sameAttachments) {
        assertEquals(attached, world.engine.attached(), () -> "volumes attached after " + e);
      }
      throw e;
    } finally {
      closeInSpiteOfFaults(world.engine.stapes());
    }
  }

  /** Waits for what the call began behind it. */
  private static void closeInSpiteOfFaults(Stapes stapes) {
    try {
      stapes.close();
    } catch (StapesException e) {
      assertEquals(StapesException.Kind.INTERNAL, e.kind(), e::toString); // the one of the test
    }
  }

  @Override
  public EnginePicture state(World world) {
    world.engine.stapes().close();
    EnginePicture raw = world.engine.picture();
    EnginePicture settled = settled(world);
    EnginePicture before = world.before;
    if (done == null) {
      done = settled;
    } else if (before == null) {
      world.before = settled;
    } else if (world.failed) {
      EnginePicture end = required(done);
      if (forward.isPresent() && forward.get().apply(settled).equals(forward.get().apply(end))) {
        return before;
      }
      world.engine.stapes().close();
      EnginePicture repaired = lens.apply(world.engine.picture());
      assertEquals(repaired.toString(), lens.apply(raw).toString(), "left to the next open");
      if (settled.equals(before)) {
        operation.accept(world.engine.openAgain());
        world.engine.stapes().close();
        assertEquals(end.toString(), settled(world).toString(), "tried again");
      }
    }
    return settled;
  }

  /** What there is after the next open, which stays open. */
  private EnginePicture settled(World world) {
    world.engine.openAgain();
    List<String> live = live(world.engine.stapes());
    world.engine.stapes().close();
    EnginePicture picture = lens.apply(world.engine.picture().and(live));
    world.engine.openAgain();
    return picture;
  }

  /** What the engine says, and what running instances are like inside. */
  private static List<String> live(Stapes stapes) {
    List<String> lines = new ArrayList<>();
    for (InstanceInfo info : stapes.instances().list()) {
      Instance instance = stapes.instances().get(info.id());
      lines.add("is " + info.name() + " with " + instance.snapshots().list().size());
      lines.add("runs " + info.name() + ": " + info.status());
      if (info.status() == InstanceStatus.RUNNING) {
        lines.add("runs " + info.name() + " in " + instance.exec("env").orThrow().stdout());
      }
    }
    return lines;
  }

  private static EnginePicture required(@Nullable EnginePicture picture) {
    return Objects.requireNonNull(picture, "a run without faults comes first");
  }

  @Override
  public void dispose(World world) {
    world.engine.close();
  }
}
