package dev.stapes.model;

/** Listens to long work. Called on the working thread: return at once. */
@FunctionalInterface
public interface Progress {
  /** Listens to nothing. */
  Progress NONE = (stage, done, total) -> {};

  /**
   * Work went on.
   *
   * @param stage what is being done, such as {@code unpack}
   * @param done units done in this stage, bytes unless the stage says otherwise
   * @param total units in all, or -1 where that is not known
   */
  void update(String stage, long done, long total);
}
