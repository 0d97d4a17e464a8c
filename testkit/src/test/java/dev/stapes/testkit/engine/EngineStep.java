package dev.stapes.testkit.engine;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * One step of a random sequence.
 *
 * @param verb what is done
 * @param name to the instance of this name
 * @param other the other name, snapshot or text that it is done with
 */
record EngineStep(Verb verb, String name, String other) {
  enum Verb {
    CREATE,
    LAUNCH,
    START,
    STOP,
    FREEZE,
    UNFREEZE,
    WRITE,
    CONFIGURE,
    SNAPSHOT,
    RESTORE,
    DELETE_SNAPSHOT,
    COPY,
    COPY_SNAPSHOT,
    RENAME,
    DELETE,
    DELETE_BY_FORCE,
    END_BY_ITSELF,
    REOPEN
  }

  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final List<String> SNAPSHOTS = List.of("x", "y");

  /** Any of them, on few names, so that they meet. */
  static Arbitrary<EngineStep> any() {
    Arbitrary<Verb> onSnapshots =
        Arbitraries.of(Verb.SNAPSHOT, Verb.SNAPSHOT, Verb.RESTORE, Verb.DELETE_SNAPSHOT);
    Arbitrary<Verb> onTwo = Arbitraries.of(Verb.COPY, Verb.RENAME, Verb.COPY_SNAPSHOT);
    Arbitrary<Verb> onTexts = Arbitraries.of(Verb.WRITE, Verb.CONFIGURE);
    Arbitrary<Verb> onOne =
        Arbitraries.of(
            Verb.CREATE,
            Verb.LAUNCH,
            Verb.LAUNCH,
            Verb.START,
            Verb.STOP,
            Verb.FREEZE,
            Verb.UNFREEZE,
            Verb.DELETE,
            Verb.DELETE_BY_FORCE,
            Verb.END_BY_ITSELF);
    return Arbitraries.frequencyOf(
        Tuple.of(10, steps(onOne, NAMES)),
        Tuple.of(5, steps(onSnapshots, SNAPSHOTS)),
        Tuple.of(3, steps(onTwo, NAMES)),
        Tuple.of(4, steps(onTexts, List.of("one", "two", "three"))),
        Tuple.of(1, Arbitraries.create(() -> new EngineStep(Verb.REOPEN, "", ""))));
  }

  private static Arbitrary<EngineStep> steps(Arbitrary<Verb> verbs, List<String> others) {
    return Combinators.combine(verbs, Arbitraries.of(NAMES), Arbitraries.of(others))
        .as(EngineStep::new);
  }

  @Override
  public String toString() {
    return (verb + " " + name + " " + other).strip();
  }
}
