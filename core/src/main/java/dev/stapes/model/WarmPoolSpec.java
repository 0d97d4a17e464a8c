package dev.stapes.model;

/**
 * Started instances that are kept ready, all made of one spec.
 *
 * <p>How long those that wait live is the template's affair: throwaway ones end with the {@code
 * Stapes} that made them; durable and ephemeral ones wait on when it is closed, and are found again
 * when a warm pool of the same name is opened with the same template.
 *
 * @param template what they are made of; its name is the pool's, and the names of those that wait
 *     begin with it: at most 48 characters
 * @param size how many are to wait, 1 to 1000
 * @param starters how many are started at once where some are missing, 1 to 64
 */
public record WarmPoolSpec(InstanceSpec template, int size, int starters) {
  private static final int MOST = 1_000;
  private static final int MOST_STARTERS = 64;
  private static final int LONGEST_NAME = 48;

  /** Validates. */
  public WarmPoolSpec {
    String subject = "warm pool " + template.name();
    if (template.name().length() > LONGEST_NAME) {
      throw StapesException.invalid(
          subject, "its name has more than " + LONGEST_NAME + " characters");
    }
    if (size < 1 || size > MOST) {
      throw StapesException.invalid(subject, "size must be 1 to " + MOST + ": " + size);
    }
    if (starters < 1 || starters > MOST_STARTERS) {
      throw StapesException.invalid(
          subject, "starters must be 1 to " + MOST_STARTERS + ": " + starters);
    }
  }

  /** So many of a template, started one after the other. */
  public static WarmPoolSpec of(InstanceSpec template, int size) {
    return new WarmPoolSpec(template, size, 1);
  }

  /** The pool's name. */
  public String name() {
    return template.name();
  }

  /** The same with another size. */
  public WarmPoolSpec withSize(int newSize) {
    return new WarmPoolSpec(template, newSize, starters);
  }

  /** The same with so many starts at once. */
  public WarmPoolSpec withStarters(int newStarters) {
    return new WarmPoolSpec(template, size, newStarters);
  }
}
