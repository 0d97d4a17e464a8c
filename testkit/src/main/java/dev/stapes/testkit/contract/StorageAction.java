package dev.stapes.testkit.contract;

import dev.stapes.spi.VolumeId;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** One step of a random sequence. */
sealed interface StorageAction {
  /** Makes a volume. */
  record Create(VolumeId id) implements StorageAction {}

  /** Copies one. */
  record Copy(VolumeId source, VolumeId target, boolean readOnly) implements StorageAction {}

  /** Discards one. */
  record Discard(VolumeId id) implements StorageAction {}

  /** Writes a file. */
  record Write(VolumeId id, String file, String text) implements StorageAction {}

  /** Removes a file. */
  record Remove(VolumeId id, String file) implements StorageAction {}

  /** Attaches a volume and lets go of it. */
  record Attach(VolumeId id) implements StorageAction {}

  /** Frees what was discarded. */
  record Reclaim() implements StorageAction {}

  /** Closes all and opens it again. */
  record Reopen() implements StorageAction {}

  /** Any of them, on few volumes and files, so that they meet. */
  static Arbitrary<StorageAction> any() {
    Arbitrary<VolumeId> ids =
        Combinators.combine(
                Arbitraries.of(VolumeId.Kind.INSTANCE, VolumeId.Kind.SNAPSHOT),
                Arbitraries.of("a", "b", "c"))
            .as(VolumeId::new);
    Arbitrary<String> files = Arbitraries.of("one", "two");
    Arbitrary<String> texts = Arbitraries.strings().alpha().ofMaxLength(5);
    return Arbitraries.frequencyOf(
        Tuple.of(4, ids.map(Create::new)),
        Tuple.of(6, Combinators.combine(ids, ids, Arbitraries.of(true, false)).as(Copy::new)),
        Tuple.of(3, ids.map(Discard::new)),
        Tuple.of(6, Combinators.combine(ids, files, texts).as(Write::new)),
        Tuple.of(2, Combinators.combine(ids, files).as(Remove::new)),
        Tuple.of(2, ids.map(Attach::new)),
        Tuple.of(1, Arbitraries.create(Reclaim::new)),
        Tuple.of(1, Arbitraries.create(Reopen::new)));
  }
}
