package dev.stapes.linux.cgroup;

/**
 * A limit that was asked for and that this machine, or this group, cannot have.
 *
 * @param limit the limit
 * @param controller the controller that it needs
 * @param why what is missing, for people
 */
public record UnsupportedLimit(Limit limit, Controller controller, String why) {

  @Override
  public String toString() {
    return limit + " (controller " + controller.v1Name() + "): " + why;
  }
}
