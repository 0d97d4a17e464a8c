package dev.stapes.testkit.contract;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * One step of a random sequence.
 *
 * @param verb what is done
 * @param id to which instance
 */
record InstanceAction(Verb verb, String id) {
  /** What can be done. */
  enum Verb {
    /** Starts it where it does not run. */
    START,
    /** Executes a program that leaves a trace. */
    EXEC,
    /** Suspends it. */
    FREEZE,
    /** Lets it go on. */
    UNFREEZE,
    /** Asks it to shut down. */
    SHUTDOWN,
    /** Ends it. */
    KILL,
    /** Ends all but it. */
    COLLECT,
    /** Closes the driver and opens another. */
    REOPEN
  }

  /** Any of them, on two instances. */
  static Arbitrary<InstanceAction> any() {
    return Combinators.combine(
            Arbitraries.frequency(
                Tuple.of(6, Verb.START),
                Tuple.of(5, Verb.EXEC),
                Tuple.of(2, Verb.FREEZE),
                Tuple.of(2, Verb.UNFREEZE),
                Tuple.of(1, Verb.SHUTDOWN),
                Tuple.of(2, Verb.KILL),
                Tuple.of(1, Verb.COLLECT),
                Tuple.of(2, Verb.REOPEN)),
            Arbitraries.of("aaaa", "bbbb"))
        .as(InstanceAction::new);
  }
}
