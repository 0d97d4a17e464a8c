package dev.stapes.qemu.driver;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What has been changed of a running machine, aspect by aspect: where the third of three changes
 * fails, the first two have happened, and undoing them must do more than nothing. Not safe for
 * threads.
 */
final class LiveChanges {
  private final Map<String, Optional<Object>> now = new HashMap<>();

  /**
   * Makes an aspect so, where it is not so already.
   *
   * @param before how it was when the machine was started or last changed as a whole
   */
  <T> void apply(String aspect, T before, T after, Consumer<T> change) {
    Optional<Object> known = now.getOrDefault(aspect, Optional.of(before));
    if (!Objects.equals(known, Optional.of(after))) {
      now.put(aspect, Optional.empty()); // what fails may have happened in part
      change.accept(after);
      now.put(aspect, Optional.of(after));
    }
  }
}
